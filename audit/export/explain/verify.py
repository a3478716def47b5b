#!/usr/bin/env python3
"""Checks the export in this folder. Needs Python 3 and, for the signature,
openssl 3. It uses nothing of the program that wrote the export.

    python3 verify.py [--key VERIFIER_KEY] [FOLDER]

Exit codes: 0 everything that can be checked is right, 1 something is not.
"""

import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile

problems = []


def wrong(path, what):
    problems.append(path)
    print("WRONG  %s: %s" % (path, what))


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    return digest.hexdigest()


def read_manifest(name):
    """The files that a manifest lists, with their hashes (RFC 8493, 2.1.3)."""
    files = {}
    with open(name, encoding="utf-8") as manifest:
        for line in manifest:
            digest, path = line.rstrip("\r\n").split(None, 1)
            path = re.sub("%(0[AaDd]|25)", lambda m: chr(int(m.group(1), 16)), path)
            files[path] = digest.lower()
    return files


def check_files():
    """Every listed file is there and unchanged, and nothing else is in data/."""
    listed = read_manifest("manifest-sha256.txt")
    for path, digest in list(listed.items()) + list(read_manifest("tagmanifest-sha256.txt").items()):
        if not os.path.isfile(path):
            wrong(path, "it is missing")
        elif sha256(path) != digest:
            wrong(path, "its bytes have changed")
    for folder, _, names in os.walk("data"):
        for name in names:
            path = os.path.join(folder, name).replace(os.sep, "/")
            if path not in listed:
                wrong(path, "it does not belong here")
    print("%d files compared with their SHA-256" % len(listed))
    return listed


def check_record(path, listed):
    """The images that a record states are here, with the hashes it states."""
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    for image in record["images"]:
        if image["state"] != "stored":
            continue
        there = os.path.dirname(path) + "/" + image["key"].rsplit("/", 1)[1]
        if listed.get(there) != image["sha256"]:
            wrong(there, "it is not the image that %s states" % path)


def node(left, right):
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaf, index, size, proof):
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2)."""
    if index >= size:
        return None
    at, last, root = index, size - 1, leaf
    for other in proof:
        if last == 0:
            return None
        if at & 1 or at == last:
            root = node(other, root)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            root = node(root, other)
        at, last = at >> 1, last >> 1
    return root if last == 0 else None


def check_proof(path, record):
    """The record is an entry of the log; returns the checkpoint that says so."""
    with open(path, encoding="utf-8", newline="") as file:
        head, _, checkpoint = file.read().partition("\n\n")
    lines = head.split("\n")
    if lines[0] != "c2sp.org/tlog-proof@v1":
        wrong(path, "it is no proof (c2sp.org/tlog-proof)")
        return None
    lines = [line for line in lines[1:] if not line.startswith("extra ")]
    index = int(lines[0].split(" ")[1])
    proof = [base64.b64decode(line) for line in lines[1:]]
    _, size, root = checkpoint.split("\n")[:3]
    with open(record, "rb") as file:
        entry = hashlib.sha256(file.read()).digest()
    leaf = hashlib.sha256(b"\x00" + entry).digest()
    if root_of(leaf, index, int(size), proof) != base64.b64decode(root):
        wrong(path, "it does not prove that %s is entry %d of the log" % (record, index))
        return None
    return checkpoint


def check_signature(checkpoint, key):
    """The checkpoint is signed with the verifier key (c2sp.org/signed-note)."""
    name, key_id, encoded = key.split("+", 2)
    public = base64.b64decode(encoded)
    if public[:1] != b"\x01" or hashlib.sha256(name.encode() + b"\n" + public).hexdigest()[:8] != key_id:
        return "the verifier key is not well formed"
    text, _, signatures = checkpoint.partition("\n\n")
    if text.split("\n")[0] != name:
        return "the log is named %s, the key is for %s" % (text.split("\n")[0], name)
    for line in signatures.splitlines():
        mark, signer, signature = line.split(" ")
        blob = base64.b64decode(signature)
        if mark == "\u2014" and signer == name and blob[:4].hex() == key_id:
            return openssl_verify(public[1:], (text + "\n").encode(), blob[4:])
    return "there is no signature of that key"


def openssl_verify(public, message, signature):
    with tempfile.TemporaryDirectory() as folder:
        names = []
        for name, content in (
            ("key.der", bytes.fromhex("302a300506032b6570032100") + public),
            ("text", message),
            ("signature", signature),
        ):
            names.append(os.path.join(folder, name))
            with open(names[-1], "wb") as file:
                file.write(content)
        try:
            done = subprocess.run(
                ["openssl", "pkeyutl", "-verify", "-pubin", "-keyform", "DER", "-inkey", names[0],
                 "-rawin", "-in", names[1], "-sigfile", names[2]],
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        except FileNotFoundError:
            return "openssl is not installed, so the signature could not be checked"
    return None if done.returncode == 0 else "the signature is not of that key"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--key", help="verifier key of the log, as the company published it")
    arguments.add_argument("folder", nargs="?", default=os.path.dirname(os.path.abspath(__file__)))
    given = arguments.parse_args()
    os.chdir(given.folder)

    listed = check_files()
    if problems:
        return finish()
    with open("data/export.json", encoding="utf-8") as file:
        export = json.load(file)
    records = [path for path in listed if re.search(r"/record\.[0-9]+\.json$", path)]
    if sorted(records) != sorted(record["path"] for record in export["records"]):
        wrong("data/export.json", "it names other records than there are")

    checkpoints, unsealed = set(), 0
    for path in sorted(records):
        check_record(path, listed)
        proof = path[:-len("json")] + "tlog-proof"
        if proof in listed:
            checkpoint = check_proof(proof, path)
            if checkpoint:
                checkpoints.add(checkpoint)
                print("PROVED %s is in the log" % path)
        else:
            unsealed += 1
            print("NOTE   %s is not in the log yet: only its own bytes speak for it" % path)

    key = given.key or export["verifier_key"]
    for checkpoint in checkpoints:
        if not key:
            wrong("data/log/checkpoint", "who signed it cannot be checked without --key")
            continue
        problem = check_signature(checkpoint, key)
        if problem:
            wrong("data/log/checkpoint", problem)
        else:
            print("SIGNED %s entries, by %s" % (checkpoint.split("\n")[1], key))
    if checkpoints and key and not given.key:
        print("NOTE   this key came with the export: compare it with the one that the company published")
    print("%d records, %d of them in the log" % (len(records), len(records) - unsealed))
    return finish()


def finish():
    print("WRONG: %d problems" % len(problems) if problems else "RIGHT: nothing is wrong")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
