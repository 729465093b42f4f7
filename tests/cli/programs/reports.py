"""Makes two reports at once; the second one is asked for too early."""

import asyncio


async def build(name: str) -> str:
    name = await asyncio.to_thread(str.title, name)
    return f"report on {name}"


async def main(patient: bool) -> None:
    sales = asyncio.create_task(build("sales"))
    stock = asyncio.create_task(build("stock"))

    if patient:
        await asyncio.wait([sales])
    print(sales.result())

    print(f"année: {stock.result()}", end="\n\n")

    audit = asyncio.create_task(build("audit"))
    if audit.exception():
        print("no audit")
    await audit
    print(audit.result())  # aiolint: ignore[result-before-done]


asyncio.run(main(patient=False))
