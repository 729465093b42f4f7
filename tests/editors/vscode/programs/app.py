from lib import load

name = "report"
load(name)
print("loaded", name)
