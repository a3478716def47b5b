#!/bin/sh
# Prints the folder in which the tests' servers keep their files: one in memory, if it
# has 4 GiB of room, the attributes that the S3 server needs, and runs programs; else the
# usual one. On disk a third of the tests' time goes to looking for free inodes.
exec python3 - <<'PYTHON'
import os, subprocess, tempfile

usual, memory = os.environ.get("TMPDIR", "/tmp"), "/dev/shm"
try:
    room = os.statvfs(memory)
    if room.f_bavail * room.f_frsize < 4 << 30:
        raise OSError("no room")
    with tempfile.TemporaryDirectory(dir=memory) as trial:
        program = os.path.join(trial, "program")
        with open(program, "w") as file:
            file.write("#!/bin/sh\n")
        os.chmod(program, 0o700)
        os.setxattr(program, "user.trial", b"1")
        subprocess.run([program], check=True)
    print(memory)
except (OSError, subprocess.SubprocessError, AttributeError):
    print(usual)
PYTHON
