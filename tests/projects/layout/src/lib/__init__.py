async def load():
    pass
