; What binds a name, besides `def`, `class`, parameters (scopes.scm) and imports (imports.scm).
;
; @assignment  `x = …`, `x = y = …`, `x: T = …` and `x: T`: all of them make `x` a name of the scope. The outermost one of a chain.
; @target      what is bound: a name, or a tuple, list or star of targets. Attributes and subscripts in it bind nothing.
; @walrus      `x := …`: binds in the nearest scope that is no comprehension
; @format      what parses as a walrus and is none: `f"{x:=5}"`
; @capture     a name in a pattern of `match`, if it stands alone; `_` binds nothing
; @alias       what `type X = …` binds, if it is a plain name (it is not in `type(self).x = …`, which parses as one, too)
; @global      `global x, y`
; @nonlocal    `nonlocal x, y`

(expression_statement (assignment) @assignment)
(augmented_assignment left: (_) @target)
(for_statement left: (_) @target)
(for_in_clause left: (_) @target)
(as_pattern_target) @target
(delete_statement) @target
(named_expression) @walrus
(interpolation expression: (named_expression) @format)
(format_expression expression: (named_expression) @format)

(case_pattern (dotted_name) @capture)
(union_pattern (dotted_name) @capture)
(keyword_pattern (dotted_name) @capture)
(splat_pattern (identifier) @capture)
(as_pattern (case_pattern) (identifier) @capture)

(type_alias_statement left: (type (_) @alias))
(global_statement) @global
(nonlocal_statement) @nonlocal
