"""Standard input and output of a program. The input comes with the job, and the output is kept here.

Runs in its own namespace: a program can reach everything in it, and nothing in it leads to the runner.
"""

import builtins, io, os, sys  # noqa: E401


class _OutputLimit(BaseException):
    """The program printed more than its limit."""


class _Gone(BaseException):
    """Raised by `os._exit`."""

    def __init__(self, code=0):
        self.code = code


class _Sink(io.RawIOBase):
    """Collects bytes, with a limit that holds even if the program catches the exception."""

    mode = "wb"

    def __init__(self, number, name, limit):
        self.number, self.name, self.room, self.parts = number, name, limit, []

    def fileno(self):
        return self.number

    def writable(self):
        return True

    def write(self, data, AFTER_FIRST=bytes(range(0x80, 0xC0))):
        if self.room < 0:
            raise _OutputLimit()
        data = bytes(memoryview(data))
        self.room -= len(data.translate(None, AFTER_FIRST))  # the limit counts characters, not bytes
        if self.room < 0:
            raise _OutputLimit()
        self.parts.append(data)
        return len(data)


class _Out(io.BufferedWriter):
    """Standard output in bytes. It stays open after `close`, because programs close it and still print."""

    drain = io.BufferedWriter.flush

    def flush(self):
        """Does nothing: the output is read at the end, and `input()` would flush at every line."""

    def close(self):
        """Does nothing: other wrappers may still write."""

    def text(self):
        try:
            self.drain()
        except _OutputLimit:
            pass  # `full` reports it
        return b"".join(self.raw.parts).decode("utf-8", "replace")

    @property
    def full(self):
        return self.raw.room < 0


class _In(io.BytesIO):
    """The whole input."""

    mode, name = "rb", "<stdin>"

    def fileno(self):
        return 0


class _Streams:
    def __init__(self):
        self.real_open, self.real_fstat = builtins.open, os.fstat
        self.standard = [None, None, None]  # the streams behind sys.stdin, sys.stdout and sys.stderr
        self.size = 0

    def begin(self, text, limit):
        """Creates the streams of a program. Returns standard output and standard error."""
        raw = text.encode("utf-8", "surrogatepass")
        self.size = len(raw)
        names = "<stdin>", "<stdout>", "<stderr>"
        behind = [io.BufferedReader(_In(raw)), *(_Out(_Sink(n, names[n], limit)) for n in (1, 2))]
        sys.stdin, sys.stdout, sys.stderr = (self.as_text(stream) for stream in behind)
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
        self.standard = behind
        os.read, os.write, os.fstat, os._exit = self.read, self.write, self.fstat, self.exit
        builtins.open = io.open = self.open
        return behind[1], behind[2]

    def as_text(self, stream):
        reads = stream.readable()
        errors = "replace" if reads else "strict" if stream.fileno() == 1 else "backslashreplace"
        # Without a buffer in the text layer, text and bytes appear in the order in which they were written.
        text = io.TextIOWrapper(stream, encoding="utf-8", errors=errors, write_through=True)
        text.mode = "r" if reads else "w"
        return text

    def open(self, file, mode="r", *args, **kwargs):
        name = os.fspath(file) if isinstance(file, os.PathLike) else file
        if name in (0, "/dev/stdin", "/proc/self/fd/0"):
            return sys.__stdin__.buffer if "b" in mode else sys.__stdin__
        for number, path in ((1, "/dev/stdout"), (2, "/dev/stderr")):
            if name in (number, path):
                return self.standard[number] if "b" in mode else self.as_text(self.standard[number])
        return self.real_open(file, mode, *args, **kwargs)

    def read(self, fd, size):
        if fd != 0:
            raise OSError(9, "Bad file descriptor")
        return self.standard[0].read(size)

    def write(self, fd, data):
        if fd not in (1, 2):
            raise OSError(9, "Bad file descriptor")
        self.standard[fd].drain()
        return self.standard[fd].raw.write(data)

    def fstat(self, fd):
        """Standard input is a file: programs read its size and then that many bytes at once."""
        if fd != 0:
            return self.real_fstat(fd)
        return os.stat_result((0o100644, 0, 0, 1, 0, 0, self.size, 0, 0, 0))

    def exit(self, status=0):
        raise _Gone(status)
