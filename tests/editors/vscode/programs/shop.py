import asyncio

from prices_of import fetch


async def main():
    fetch("corner shop")


asyncio.run(main())
