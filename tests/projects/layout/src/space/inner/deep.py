async def dig():
    pass
