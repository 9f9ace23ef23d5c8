"""What several files of tests use."""

import threading


def in_thread(work):
    """Runs something in a thread, that is in a transaction, of its own; raises what it raises."""
    raised = []

    def run():
        try:
            work()
        except BaseException as error:
            raised.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    if raised:
        raise raised[0]
