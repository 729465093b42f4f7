"""Asks two shops for a price and prints the better one."""

import asyncio


async def ask(shop, seconds, price):
    await asyncio.sleep(seconds)
    print(f"{shop}: {price}")
    return price


async def main():
    near = asyncio.create_task(ask("corner shop", 0.1, 42))
    far = asyncio.create_task(ask("market", 0.3, 37))
    await near
    best = min(near.result(), far.result())
    print(f"the better price is {best}")


asyncio.run(main())
