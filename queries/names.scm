; Identifiers, to see which names an inner scope reads. It runs over inner scopes only.
;
; @name    any identifier
; @member  an identifier that is no name: behind a dot, before the `=` of a keyword argument

(identifier) @name
(attribute attribute: (identifier) @member)
(keyword_argument name: (identifier) @member)
