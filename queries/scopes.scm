; What opens a scope, and what decides of which kind it is.
;
; @scope.function       a `def`, without its decorators
; @scope.class          a `class`, without its decorators
; @scope.lambda         a `lambda`
; @scope.comprehension  a list, set or dict comprehension
; @scope.generator      a generator expression
; @decorated            a `def` or `class` with its decorators
; @yield                makes a generator of the function that evaluates it
; @if                   an `if` whose condition may be `TYPE_CHECKING`: then its block never runs

(function_definition) @scope.function
(class_definition) @scope.class
(lambda) @scope.lambda
[(list_comprehension) (set_comprehension) (dictionary_comprehension)] @scope.comprehension
(generator_expression) @scope.generator

(decorated_definition) @decorated
(yield) @yield
(if_statement condition: [(identifier) (attribute)]) @if
