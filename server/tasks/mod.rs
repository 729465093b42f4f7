//! What each asyncio operation does to a task, and what states a task can have at each point.
