"""Archives all users with threads, requests, boto3 and psycopg2.

What a careful programmer would write in an afternoon: a session and a
connection that is kept for each thread, one S3 client for all, no copies that
can be avoided. One thread works on one image at a time.
"""

import base64
import json
import os
import queue
import sys
import threading

import boto3
import botocore.config
import psycopg2
import requests
from requests.adapters import HTTPAdapter

BASE = os.environ["VLENS_BASE_URL"]
BUCKET = os.environ["BENCH_BUCKET"]
IN_FLIGHT = int(os.environ["BENCH_IN_FLIGHT"])
HEADERS = {
    "Authorization": "Bearer " + os.environ["VLENS_TOKEN"],
    "ApiKey": os.environ["VLENS_API_KEY"],
    "TenancyName": os.environ["VLENS_TENANCY"],
}
KINDS = {
    "idFrontImage": "id_front",
    "idBackImage": "id_back",
    "livenessImage": "liveness",
    "livenessFace01Image": "face_1",
    "livenessFace02Image": "face_2",
    "livenessFace03Image": "face_3",
}


def users():
    with psycopg2.connect(os.environ["SOURCE_DATABASE_URL"]) as connection:
        with connection.cursor("users") as cursor:
            cursor.itersize = 1000
            cursor.execute("SELECT id, phone FROM users")
            yield from cursor


def answer(session, path, params):
    response = session.get(BASE + "/api/DigitalIdentity/" + path, params=params, timeout=60)
    response.raise_for_status()
    envelope = json.loads(response.content)
    if envelope.get("error_code"):
        raise RuntimeError("error code %s" % envelope["error_code"])
    return envelope["data"]


def archive(session, s3, user_id, phone):
    listing = answer(session, "GetUserDigitalIdentityImages", {"emailOrPhoneNumber": phone})
    for field, kind in KINDS.items():
        name = listing.get(field)
        if not name:
            continue
        data = answer(session, "GetStepImage", {"TransactionId": listing["transactionId"], "FileName": name})
        s3.put_object(
            Bucket=BUCKET,
            Key="%s/%s.jpg" % (user_id, kind),
            Body=base64.b64decode(data["image"]),
            ContentType="image/jpeg",
        )


def main():
    s3 = boto3.client(
        "s3",
        endpoint_url=os.environ["BENCH_ENDPOINT"],
        region_name=os.environ["BENCH_REGION"],
        config=botocore.config.Config(
            max_pool_connections=IN_FLIGHT, s3={"addressing_style": "path"}, retries={"max_attempts": 3, "mode": "standard"}
        ),
    )
    work = queue.Queue(maxsize=2 * IN_FLIGHT)
    failures = []

    def thread():
        session = requests.Session()
        session.headers.update(HEADERS)
        session.mount(BASE, HTTPAdapter(pool_maxsize=1))
        while (user := work.get()) is not None:
            try:
                archive(session, s3, *user)
            except Exception as failure:  # the others go on
                failures.append(failure)

    threads = [threading.Thread(target=thread) for _ in range(IN_FLIGHT)]
    for t in threads:
        t.start()
    for user in users():
        work.put(user)
    for _ in threads:
        work.put(None)
    for t in threads:
        t.join()
    if failures:
        sys.exit("%d users failed: %s" % (len(failures), failures[0]))


main()
