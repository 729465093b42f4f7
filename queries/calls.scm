; What may suspend or run other code.
;
; @call   a call
; @await  an `await` expression
; @async  an `async for` or `async with`, be it a statement or a clause of a comprehension

(call) @call
(await) @await
[(for_statement "async") (with_statement "async") (for_in_clause "async")] @async
