"""Uploads a report and says how it went."""

import asyncio


async def upload(name):
    await asyncio.sleep(0.1)
    if not name.endswith(".pdf"):
        raise ValueError(f"{name} is no report")


async def main():
    task = asyncio.create_task(upload("report.pdf"))
    if task.exception():
        print("failed")
    else:
        print("uploaded")


asyncio.run(main())
