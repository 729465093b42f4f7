import asyncio


async def fetch_price(shop):
    await asyncio.sleep(0.01)
    return 42


async def main():
    price = asyncio.create_task(fetch_price("corner shop"))
    # The price, as soon as we have it.
    print("price:", price.result())


asyncio.run(main())
