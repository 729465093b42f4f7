; What imports a name.
;
; @import  `import a.b`, `import a.b as c`
; @from    `from a import b`, `from .a import b as c`, `from a import *`, `from __future__ import b`

(import_statement) @import
[(import_from_statement) (future_import_statement)] @from
