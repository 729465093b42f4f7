//! A program as a tree of lines, so that one that shows a bug can be cut down to what shows it.

/// A line, and the lines that are indented below it. A clause (`else:`) is a node beside that of its statement.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub line: String,
    pub body: Vec<Node>,
}

impl Node {
    pub fn line(line: impl Into<String>) -> Self {
        Self { line: line.into(), body: Vec::new() }
    }

    pub fn block(line: impl Into<String>, body: Vec<Node>) -> Self {
        Self { line: line.into(), body }
    }
}

/// The nodes that a text stands for, whose blocks are indented by four.
pub fn parse(text: &str) -> Vec<Node> {
    let mut nodes = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let mut body = String::new();
        while let Some(inner) = lines.next_if(|line| line.starts_with("    ")) {
            body += &inner[4..];
            body.push('\n');
        }
        nodes.push(Node::block(line, parse(&body)));
    }
    nodes
}

pub fn text(nodes: &[Node]) -> String {
    let mut out = String::new();
    write(nodes, 0, &mut out);
    out
}

fn write(nodes: &[Node], depth: usize, out: &mut String) {
    for node in nodes {
        out.push_str(&"    ".repeat(depth));
        out.push_str(&node.line);
        out.push('\n');
        write(&node.body, depth + 1, out);
    }
}

/// The smallest program that `shows` the same, as far as leaving out nodes, or all but their bodies, leads to it.
pub fn shrink(nodes: &[Node], mut shows: impl FnMut(&[Node]) -> bool) -> Vec<Node> {
    let mut best = nodes.to_vec();
    loop {
        let mut smaller = false;
        let mut at = count(&best);
        while at > 0 {
            at -= 1;
            for splice in [false, true] {
                let mut candidate = best.clone();
                let mut left = at;
                if cut(&mut candidate, &mut left, splice) && shows(&candidate) {
                    best = candidate;
                    smaller = true;
                    break;
                }
            }
        }
        if !smaller {
            return best;
        }
    }
}

fn count(nodes: &[Node]) -> usize {
    nodes.iter().map(|node| 1 + count(&node.body)).sum()
}

/// Takes the node of number `left` out; with `splice` its body stays.
fn cut(nodes: &mut Vec<Node>, left: &mut usize, splice: bool) -> bool {
    for index in 0..nodes.len() {
        if *left == 0 {
            let node = nodes.remove(index);
            if splice {
                if node.body.is_empty() {
                    return false;
                }
                nodes.splice(index..index, node.body);
            }
            return true;
        }
        *left -= 1;
        if *left == 0 && nodes[index].line.starts_with("while") {
            // The pause without which nothing could stop it.
            return false;
        }
        if cut(&mut nodes[index].body, left, splice) {
            // A block needs a body.
            return !nodes[index].body.is_empty();
        }
    }
    false
}
