"""A server on this machine that speaks exactly the bytes it is told, as slowly as it is told."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator

Talk = Callable[[socket.socket], None]


def has_request(connection: socket.socket) -> bool:
    """Wait for the head of a request. False: the client has closed the connection instead."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(65536)
        if not more:
            return False
        received += more
    return True


@contextlib.contextmanager
def serving(talk: Talk) -> Iterator[str]:
    """Run `talk` with every connection once a request's head has arrived, and yield the base URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threads: list[threading.Thread] = []
        stopped = threading.Event()

        def converse(connection: socket.socket) -> None:
            with connection, contextlib.suppress(OSError):
                if has_request(connection):
                    talk(connection)

        def accept() -> None:
            while not stopped.is_set():
                with contextlib.suppress(TimeoutError):
                    connection, _ = listener.accept()
                    thread = threading.Thread(target=converse, args=(connection,), daemon=True)
                    thread.start()
                    threads.append(thread)

        listener.settimeout(0.05)
        acceptor = threading.Thread(target=accept, daemon=True)
        acceptor.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stopped.set()
            acceptor.join()
            for thread in threads:
                thread.join(timeout=5)
