from .lib import load as load
from . import lib
from .names import *
