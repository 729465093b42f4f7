import client
import typed


async def main():
    client.get("a")  # error: [coroutine-never-awaited]
    typed.stubbed()  # error: [coroutine-never-awaited]
    async with client.AsyncClient() as session:
        session.get("a")  # error: [coroutine-never-awaited]
        response = await session.get("a")
        response.json()
        response.aread()  # error: [coroutine-never-awaited]
