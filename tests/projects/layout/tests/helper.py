async def prepare():
    pass
