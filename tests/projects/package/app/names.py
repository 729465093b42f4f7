from .names import again


async def starred():
    pass


async def _private():
    pass
