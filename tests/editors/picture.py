"""A terminal's screen, as `tmux capture-pane -e` gives it, as an SVG: `docs/picture` draws in the same style."""

import collections
import html
import re
import unicodedata

SIZE, WIDTH, HEIGHT, MARGIN = 14, 8.43, 19, 16  # of the font, a column, a line, all in pixels
BACKGROUND, FOREGROUND = "#1e1e2e", "#cdd6f4"
COLOURS = ["#45475a", "#f38ba8", "#a6e3a1", "#f9e2af", "#89b4fa", "#f5c2e7", "#94e2d5", "#bac2de"]
BRIGHT = ["#585b70", *COLOURS[1:7], "#cdd6f4"]


def indexed(number):
    """One of the 256 colours."""
    if number < 16:
        return (COLOURS + BRIGHT)[number]
    if number > 231:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    levels = [0, 95, 135, 175, 215, 255]
    return "#" + "".join(f"{levels[(number - 16) // step % 6]:02x}" for step in (36, 6, 1))


def apply(style, parameters):
    """What an escape `m` changes in a style: {"fill", "back", "bold", "italic", "line", "swap"}."""
    codes = iter(parameters.split(";"))
    for code in codes:
        code, _, variant = code.partition(":")
        number = int(code or 0)
        if number == 0:
            style.clear()
        elif number in (38, 48, 58):
            kind, rest = (variant or next(codes)).split(":")[0], variant.split(":")[1:]
            values = [int(value or 0) for value in (rest or [next(codes) for _ in range(1 if kind == "5" else 3)])]
            colour = indexed(values[0]) if kind == "5" else "#" + "".join(f"{value:02x}" for value in values[-3:])
            style[{38: "fill", 48: "back", 58: "lined"}[number]] = colour
        elif number in (1, 3, 7):
            style[{1: "bold", 3: "italic", 7: "swap"}[number]] = True
        elif number == 4:
            style["line"] = "wavy" if variant == "3" else "solid"
        elif number in (22, 23, 24, 27, 39, 49, 59):
            names = {22: "bold", 23: "italic", 24: "line", 27: "swap", 39: "fill", 49: "back", 59: "lined"}
            style.pop(names[number], None)
        elif 30 <= number <= 37 or 90 <= number <= 97:
            style["fill"] = (COLOURS if number < 90 else BRIGHT)[number % 10]
        elif 40 <= number <= 47 or 100 <= number <= 107:
            style["back"] = (COLOURS if number < 100 else BRIGHT)[number % 10]


def columns(text):
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def spans(line, style):
    """The pieces of a line of equal style, with the columns where they start; `style` goes on into the next line."""
    column = 0
    for parameters, text in re.findall(r"\x1b\[([\d;:]*)m|((?:[^\x1b]|\x1b(?!\[))+)", line):
        if not text:
            apply(style, parameters)
            continue
        text = re.sub(r"\x1b[()].|[\x0e\x0f]", "", text)
        yield column, text, dict(style)
        column += columns(text)


def draw(screen):
    lines = screen.rstrip("\n").split("\n")
    style = {}
    rows = [list(spans(line, style)) for line in lines]
    # tmux cuts off what is empty at a line's end: the colour behind most of the text is that of the whole.
    behind = collections.Counter()
    for row in rows:
        for _, text, look in row:
            behind[look.get("back", BACKGROUND)] += len(text)
    background = behind.most_common(1)[0][0]
    width = max(start + columns(text) for row in rows for start, text, _ in row)
    size = f'width="{round(width * WIDTH + 2 * MARGIN)}" height="{len(rows) * HEIGHT + 2 * MARGIN}"'
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" {size}>']
    parts.append(f'<rect width="100%" height="100%" rx="8" fill="{background}"/>')
    font = "font-family=\"ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace\""
    parts.append(f'<g {font} font-size="{SIZE}" fill="{FOREGROUND}">')
    for number, row in enumerate(rows):
        top = MARGIN + number * HEIGHT
        for start, text, look in row:
            fill, back = look.get("fill"), look.get("back")
            if look.get("swap"):
                fill, back = back or background, fill or FOREGROUND
            x, length = MARGIN + start * WIDTH, columns(text) * WIDTH
            if back and back != background:
                parts.append(f'<rect x="{x:.2f}" y="{top}" width="{length:.2f}" height="{HEIGHT}" fill="{back}"/>')
            if not text.strip() and "line" not in look:
                continue
            attributes = [f'x="{x:.2f}"', f'y="{top + 0.75 * HEIGHT:g}"', f'textLength="{length:.2f}"']
            attributes += [f'fill="{fill}"'] if fill else []
            attributes += ['font-weight="bold"'] if look.get("bold") else []
            attributes += ['font-style="italic"'] if look.get("italic") else []
            if "line" in look:
                colour = look.get("lined", fill or FOREGROUND)
                attributes.append(f'style="text-decoration: underline {look["line"]} {colour}"')
            parts.append(f'<text xml:space="preserve" {" ".join(attributes)}>{html.escape(text, quote=False)}</text>')
    return "\n".join([*parts, "</g>", "</svg>"]) + "\n"
