" Description: aiolint finds asyncio mistakes in Python, as a language server for ALE.

call ale#Set('python_aiolint_executable', 'aiolint')
call ale#Set('python_aiolint_settings', {})

call ale#linter#Define('python', {
\   'name': 'aiolint',
\   'lsp': 'stdio',
\   'executable': {buffer -> ale#Var(buffer, 'python_aiolint_executable')},
\   'command': '%e server',
\   'project_root': function('ale#python#FindProjectRoot'),
\   'initialization_options': {buffer -> ale#Var(buffer, 'python_aiolint_settings')},
\})
