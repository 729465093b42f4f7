; What may suspend or run other code.
;
; @call   a call
; @await  an `await` expression

(call) @call
(await) @await
