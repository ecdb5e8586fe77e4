# SPDX-License-Identifier: Apache-2.0
# FastAPI on uvicorn, with httpx and redis-py: /async/r.h/TOKEN is served by a task, /def/r.h/TOKEN by
# a thread that the framework hands it to, /executor/r.h/TOKEN by a task that hands each call to a
# thread of asyncio's own.

import asyncio
import os
import secrets

import fastapi
import httpx
import redis
import redis.asyncio
import uvicorn

log = os.open(os.environ["LOG"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
LEAF = f"http://127.0.0.1:{os.environ['LEAF_PORT']}/leaf/"
REDIS = {"host": "127.0.0.1", "port": int(os.environ["REDIS_PORT"])}
app = fastapi.FastAPI()


def calls(plan, token):
    made = [(letter, secrets.token_hex(6)) for letter in plan if letter in "rh"]
    os.write(log, (" ".join([token, *(own for _, own in made)]) + "\n").encode())
    return made


@app.on_event("startup")
async def start():
    app.http = httpx.AsyncClient()
    app.redis = redis.asyncio.Redis(**REDIS)
    app.sync_http = httpx.Client()
    app.sync_redis = redis.Redis(**REDIS)


@app.get("/async/{plan}/{token}")
async def by_task(plan: str, token: str):
    for letter, own in calls(plan, token):
        await (app.redis.get(own) if letter == "r" else app.http.get(LEAF + own))
    return {}


def call(letter, own):
    app.sync_redis.get(own) if letter == "r" else app.sync_http.get(LEAF + own)


@app.get("/def/{plan}/{token}")
def by_thread(plan: str, token: str):
    for letter, own in calls(plan, token):
        call(letter, own)
    return {}


@app.get("/executor/{plan}/{token}")
async def by_executor(plan: str, token: str):
    for letter, own in calls(plan, token):
        await asyncio.to_thread(call, letter, own)
    return {}


uvicorn.run(app, port=int(os.environ["PORT"]), loop="uvloop", log_level="error")
