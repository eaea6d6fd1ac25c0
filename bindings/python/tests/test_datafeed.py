"""The wrapper against the emulator."""

from __future__ import annotations

import gc
import json
import os
import pickle
import select
import signal
import subprocess
import sys
import threading
import time
import unittest
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import symphony_datafeed
from emulator import Emulator, message
from symphony_datafeed import (
    ClosedError,
    ConfigError,
    Datafeed,
    Event,
    FeedFailedError,
    ForkedError,
    InvalidDeliveryError,
    TimedOutError,
)

PATIENCE = 20.0


class Case(unittest.TestCase):
    """A test with an emulator and a feed, both gone afterwards."""

    def start(self, *options: str, poll_ms: int = 200, **settings: Any) -> tuple[Emulator, Datafeed]:
        emulator = Emulator(*options, poll_ms=poll_ms)
        self.addCleanup(emulator.stop)
        feed = Datafeed({**emulator.config, "nackDelay": 10, **settings})
        self.addCleanup(feed.close)
        return emulator, feed

    def until_reading(self, feed: Datafeed) -> None:
        """Events that are published before there is a feed reach nobody."""
        self.until(lambda: feed.stats()["state"] == "READING")

    def when_reading(self, feed: Datafeed, action: Callable[[], None]) -> Callable[[], Any]:
        """Do it in a thread, as soon as the feed reads."""

        def run() -> None:
            self.until_reading(feed)
            action()

        return self.in_thread(run)

    def until(self, condition: Callable[[], Any]) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), deadline, "it did not happen in time")
            time.sleep(0.005)

    def next(self, feed: Datafeed) -> Event:
        event = feed.next_event(PATIENCE)
        assert event is not None, "no event came in time"
        return event

    def in_thread(self, body: Callable[[], Any]) -> Callable[[], Any]:
        """Run it in a thread; the returned function waits for its result, or raises what it raised."""
        outcome: list[Any] = []

        def run() -> None:
            try:
                outcome.append((body(), None))
            except Exception as error:
                outcome.append((None, error))

        thread = threading.Thread(target=run, daemon=True)
        thread.start()

        def result() -> Any:
            thread.join(PATIENCE)
            self.assertTrue(outcome, "the thread still waits")
            value, error = outcome[0]
            if error is not None:
                raise error
            return value

        return result

    def in_subprocess(self, script: str, config: dict[str, Any]) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            # Python 3.12 warns of a fork beside any thread.
            [sys.executable, "-W", "ignore", "-c", script, json.dumps(config)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(symphony_datafeed.__file__).parent.parent)},
        )
        self.addCleanup(process.kill)
        return process


class Receiving(Case):
    def test_receives_and_acknowledges_in_order(self) -> None:
        emulator, feed = self.start()
        self.until_reading(feed)
        emulator.publish(*(message(number) for number in range(5)))
        deliveries = []
        for number in range(5):
            event = self.next(feed)
            self.assertEqual((event.id, event.type, event.attempt), (f"event-{number}", "MESSAGESENT", 1))
            self.assertEqual(event.data, message(number))
            deliveries.append(event.delivery)
            event.ack()
        self.assertEqual(deliveries, sorted(deliveries))
        self.assertEqual(emulator.wait("acknowledged", 5)["redelivered"], 0)

    def test_nack_brings_it_back_with_attempt_2(self) -> None:
        emulator, feed = self.start()
        self.until_reading(feed)
        emulator.publish(message(1), message(2))
        first = self.next(feed)
        first.nack()
        second = self.next(feed)
        self.assertEqual((second.id, second.attempt), ("event-2", 1))
        again = self.next(feed)
        self.assertEqual((again.raw, again.attempt), (first.raw, 2))
        self.assertGreater(again.delivery, first.delivery)
        again.ack()
        second.ack()
        emulator.wait("acknowledged", 2)
        for event in (first, again):
            with self.assertRaises(InvalidDeliveryError):
                event.ack()

    def test_timeout(self) -> None:
        _, feed = self.start()
        for timeout in (0, 0.02):
            self.assertIsNone(feed.next_event(timeout))
            self.assertIsNone(self.in_thread(partial(feed.next_event, timeout))())
        with self.assertRaises(ValueError):
            feed.next_event(-1)

    def test_events_keep_coming_while_one_is_held(self) -> None:
        emulator, feed = self.start()
        self.until_reading(feed)
        emulator.publish(message(1))
        held = self.next(feed)
        waiting = self.in_thread(lambda: emulator.wait("routed", 2))
        self.assertIsNone(feed.next_event(0.02))
        emulator.publish(message(2))
        waiting()
        self.next(feed).ack()
        held.ack()
        emulator.wait("acknowledged", 2)

    def test_unicode_and_64_bit_ids_are_unchanged(self) -> None:
        emulator, feed = self.start()
        self.until_reading(feed)
        sent = message(1, 'Grüße, 世界 🚀 \u2028 "quoted" \\ \u0000')
        sent["initiator"]["user"]["userId"] = 2**63 - 1
        emulator.publish(sent)
        event = self.next(feed)
        self.assertEqual(event.data, sent)
        self.assertIn("9223372036854775807", event.raw)
        event.ack()
        self.assertEqual(json.loads(event.raw), sent)

    def test_implicit_acknowledgement_is_possible(self) -> None:
        emulator, feed = self.start(ack="implicit")
        self.until_reading(feed)
        emulator.publish(*(message(number) for number in range(3)))
        events = [self.next(feed) for _ in range(3)]
        self.assertEqual(feed.stats()["acknowledged"], 2)
        self.assertEqual(feed._held, {events[2].delivery})
        with self.assertRaises(InvalidDeliveryError):
            events[0].ack()
        events[2].ack()
        emulator.wait("acknowledged", 3)

    def test_many_threads_share_a_feed(self) -> None:
        emulator, feed = self.start("--batch-max", "7")
        self.until_reading(feed)
        seen: list[str] = []

        def consume() -> None:
            for event in feed:
                seen.append(event.raw)

        threads = [self.in_thread(consume) for _ in range(8)]
        emulator.chat(500)
        emulator.wait("acknowledged", 500)
        feed.close()
        for finished in threads:
            finished()
        self.assertEqual((len(seen), len(set(seen))), (500, 500))


class Loops(Case):
    def test_the_loop_acknowledges_when_it_asks_for_the_next(self) -> None:
        emulator, feed = self.start()
        self.until_reading(feed)
        emulator.publish(*(message(number) for number in range(3)))
        seen: list[Any] = []
        for event in feed:
            self.assertEqual(feed.stats()["acknowledged"], len(seen))
            seen.append(event.id)
            if len(seen) == 3:
                break
        self.assertEqual(seen, ["event-0", "event-1", "event-2"])
        self.assertEqual(feed.stats()["held"], 1)

    def test_the_loop_leaves_alone_what_the_bot_settled(self) -> None:
        emulator, feed = self.start()
        self.until_reading(feed)
        emulator.publish(message(1), message(2))
        seen = []
        for event in feed:
            seen.append((event.id, event.attempt))
            if event.attempt == 1:
                event.nack() if event.id == "event-1" else event.ack()
            else:
                break
        self.assertEqual(seen, [("event-1", 1), ("event-2", 1), ("event-1", 2)])

    def test_a_new_loop_refuses_what_the_one_before_left(self) -> None:
        emulator, feed = self.start()
        self.until_reading(feed)
        emulator.publish(message(1))
        attempts = []
        for _ in range(2):
            with self.assertRaises(ZeroDivisionError):
                for event in feed:
                    attempts.append(event.attempt)
                    raise ZeroDivisionError
        self.assertEqual(attempts, [1, 2])

    def test_leaving_the_block_acknowledges_the_last_event(self) -> None:
        emulator, feed = self.start()
        self.until_reading(feed)
        emulator.publish(message(1))
        with feed:
            for event in feed:
                self.assertEqual(event.attempt, 1)
                break
        self.assertEqual((feed.stats()["acknowledged"], feed.stats()["state"]), (1, "CLOSED"))
        emulator.wait("acknowledged", 1)

    def test_leaving_the_block_by_an_exception_refuses_it(self) -> None:
        emulator, feed = self.start()
        self.until_reading(feed)
        emulator.publish(message(1))
        with self.assertRaises(ZeroDivisionError), feed:
            for _ in feed:
                raise ZeroDivisionError
        self.assertEqual((feed.stats()["acknowledged"], feed.stats()["nacked"]), (0, 1))
        self.assertEqual(emulator.books()["acknowledged"], 0)

    def test_the_loop_ends_when_the_feed_is_closed(self) -> None:
        _, feed = self.start()
        closing = self.when_reading(feed, feed.close)
        self.assertEqual(list(feed), [])
        closing()
        self.assertEqual(list(feed), [])


class Stopping(Case):
    def test_interrupt_ends_a_blocked_call_at_once(self) -> None:
        _, feed = self.start()
        blocked = [self.in_thread(feed.next_event) for _ in range(3)]
        stop = threading.Event()

        def interrupt_until_stopped() -> None:
            while not stop.wait(0.01):
                feed.interrupt()

        interrupting = self.in_thread(interrupt_until_stopped)
        for result in blocked:
            self.assertIsNone(result())
        # The main thread waits in another way.
        self.assertIsNone(feed.next_event())
        for _ in feed:
            self.fail("there is no event")
        stop.set()
        interrupting()

    def test_an_interruption_is_remembered_once(self) -> None:
        _, feed = self.start()
        feed.interrupt()
        started = time.monotonic()
        self.assertIsNone(feed.next_event())
        self.assertIsNone(feed.next_event(0.05))
        self.assertGreaterEqual(time.monotonic() - started, 0.05)

    def test_a_signal_handler_may_interrupt(self) -> None:
        _, feed = self.start()
        before = signal.signal(signal.SIGUSR1, lambda *_: feed.interrupt())
        self.addCleanup(signal.signal, signal.SIGUSR1, before)
        sending = self.when_reading(feed, lambda: os.kill(os.getpid(), signal.SIGUSR1))
        self.assertIsNone(feed.next_event())
        sending()

    def test_close_while_waiting(self) -> None:
        _, feed = self.start()
        blocked = [self.in_thread(feed.next_event) for _ in range(3)]
        closing = self.when_reading(feed, feed.close)
        with self.assertRaises(ClosedError):
            feed.next_event()
        closing()
        for result in blocked:
            with self.assertRaises(ClosedError):
                result()

    def test_use_after_close_is_an_error(self) -> None:
        emulator, feed = self.start()
        self.until_reading(feed)
        emulator.publish(message(1))
        event = self.next(feed)
        feed.close()
        for call in (feed.next_event, feed.session, event.ack):
            with self.assertRaises(ClosedError):
                call()
        feed.interrupt()
        self.assertEqual(feed.stats()["state"], "CLOSED")
        self.assertIsNone(feed.error())
        self.assertEqual(event.data, message(1))

    def test_close_gives_back_what_the_bot_held(self) -> None:
        emulator, feed = self.start()
        self.until_reading(feed)
        emulator.publish(message(1), message(2))
        event = self.next(feed)
        self.next(feed)
        self.assertEqual(feed.stats()["held"], 2)
        feed.close()
        self.assertEqual(feed.stats()["held"], 0)
        with self.assertRaises(ClosedError):
            event.nack()
        self.assertEqual(emulator.books()["acknowledged"], 0)

    def test_double_close_is_harmless(self) -> None:
        _, feed = self.start()
        with feed:
            feed.close()
            feed.close()
        feed.close()

    def test_a_forgotten_feed_is_closed(self) -> None:
        emulator = Emulator()
        self.addCleanup(emulator.stop)
        # Numbers of descriptors, once the library has opened what it keeps.
        Datafeed(emulator.config).close()
        gc.collect()
        before = len(os.listdir("/proc/self/fd")) if sys.platform == "linux" else 0
        for _ in range(5):
            Datafeed(emulator.config)
        gc.collect()
        if sys.platform == "linux":
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)

    def test_a_signal_just_before_the_wait_ends_it_all_the_same(self) -> None:
        emulator = Emulator()
        self.addCleanup(emulator.stop)
        real_poll = select.poll
        with Datafeed(emulator.config) as feed:

            class PollAfterASignal:
                """As a signal's handler leaves it that ran after the last look, and before there was a wait to end."""

                def __init__(self) -> None:
                    self.inner = real_poll()
                    self.register = self.inner.register

                def poll(self, left: int | None) -> list[tuple[int, int]]:
                    feed._interruption = object()
                    return self.inner.poll(left)

            started = time.monotonic()
            with mock.patch.object(select, "poll", PollAfterASignal):
                self.assertIsNone(feed.next_event(PATIENCE))
            self.assertLess(time.monotonic() - started, PATIENCE)

    def test_sigint_during_the_wait_raises_keyboard_interrupt(self) -> None:
        emulator = Emulator()
        self.addCleanup(emulator.stop)
        script = """
import sys
from symphony_datafeed import Datafeed
with Datafeed(sys.argv[1]) as feed:
    try:
        for event in feed:
            print("waiting", flush=True)
        print("the loop ended")
    except KeyboardInterrupt:
        print("KeyboardInterrupt", feed.stats()["state"])
"""
        process = self.in_subprocess(script, emulator.config)
        self.until(lambda: emulator.call("GET", "feeds"))
        emulator.publish(message(1))
        assert process.stdout is not None
        self.assertEqual(process.stdout.readline(), "waiting\n")
        # It was acknowledged, so the loop has asked for the next one.
        emulator.wait("acknowledged", 1)
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual((output, errors), ("KeyboardInterrupt READING\n", ""))

    def test_fork_in_child_gives_a_clean_error(self) -> None:
        emulator = Emulator()
        self.addCleanup(emulator.stop)
        script = """
import os, sys
from symphony_datafeed import Datafeed, ForkedError
feed = Datafeed(sys.argv[1])
child = os.fork()
if child == 0:
    renew = lambda: feed.renew_session("token")
    calls = [feed.next_event, feed.interrupt, feed.stats, feed.session, feed.error, feed.next_log, feed.fileno, renew]
    clean = 0
    with feed:
        for call in calls:
            try:
                call()
            except ForkedError:
                clean += 1
        with Datafeed(sys.argv[1]) as own:
            own.next_event(0)
    feed = None
    sys.exit(clean - len(calls))
_, status = os.waitpid(child, 0)
event = feed.next_event(20)
event.ack()
feed.close()
print(os.WEXITSTATUS(status) if os.WIFEXITED(status) else status, event.id)
"""
        process = self.in_subprocess(script, emulator.config)
        self.until(lambda: emulator.call("GET", "feeds"))
        emulator.publish(message(1))
        output, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual((output, errors), ("0 event-1\n", ""))
        self.assertTrue(issubclass(ForkedError, symphony_datafeed.DatafeedError))


class Telling(Case):
    def test_a_bad_configuration_is_an_error_with_code_and_field(self) -> None:
        with self.assertRaises(ConfigError) as caught:
            Datafeed({"host": "localhost", "bot": {"username": 1}})
        error = caught.exception
        self.assertEqual((error.code, error.field, error.retryable), ("CONFIG_INVALID", "bot.username", False))
        self.assertIn("bot.username", str(error))
        self.assertEqual(str(pickle.loads(pickle.dumps(error))), str(error))
        with self.assertRaises(ConfigError) as caught:
            Datafeed(Path("no-such-file.json"))
        self.assertEqual((caught.exception.code, caught.exception.file), ("FILE_INVALID", "no-such-file.json"))
        with self.assertRaises(ValueError):
            Datafeed("config.json\0")

    def test_a_refused_login_raises_the_final_error(self) -> None:
        emulator = Emulator()
        self.addCleanup(emulator.stop)
        emulator.call("POST", "logins", {"reject": True})
        with Datafeed(emulator.config) as feed:
            for call in (feed.next_event, lambda: list(feed), self.in_thread(feed.next_event)):
                with self.assertRaises(FeedFailedError) as caught:
                    call()
                error = caught.exception
                self.assertEqual((error.code, error.http_status, error.retryable), ("AUTH_REJECTED", 401, False))
            self.assertEqual(feed.stats()["state"], "FAILED")
        told = feed.error()
        self.assertIsInstance(told, FeedFailedError)
        self.assertEqual(str(told), str(error))

    def test_logs_arrive(self) -> None:
        _, feed = self.start(oddSetting=1)
        fetching = self.in_thread(lambda: list(feed.logs()))
        self.until_reading(feed)
        feed.close()
        lines = fetching()
        self.assertTrue(any("oddSetting" in line["message"] for line in lines), lines)
        for line in lines:
            self.assertIn(line["level"], ("error", "warn", "info"))
            self.assertIsInstance(line["timestamp"], int)
        with self.assertRaises(ClosedError):
            feed.next_log()

    def test_next_log_has_a_timeout(self) -> None:
        _, feed = self.start()
        self.until_reading(feed)
        while feed.next_log(0) is not None:
            pass
        self.assertIsNone(feed.next_log(0.15))

    def test_stats_and_session(self) -> None:
        emulator, feed = self.start()
        self.until_reading(feed)
        stats = feed.stats()
        self.assertEqual((stats["state"], stats["logins"]), ("READING", 1))
        self.assertEqual(stats["version"], symphony_datafeed.library_version())
        session = feed.session()
        self.assertEqual(session["username"], emulator.config["bot"]["username"])
        self.assertTrue(session["sessionToken"])
        self.assertIsNone(session["authorizationToken"])
        self.assertEqual((stats["stream"], stats["filtered"]), ("datafeed", 0))

    def test_the_descriptor_is_readable_while_an_event_waits(self) -> None:
        import asyncio

        emulator, feed = self.start()
        self.until_reading(feed)

        async def receive() -> str:
            loop = asyncio.get_running_loop()
            readable = asyncio.Event()
            loop.add_reader(feed.fileno(), readable.set)
            loop.run_in_executor(None, emulator.publish, message(1))
            try:
                while True:
                    await asyncio.wait_for(readable.wait(), PATIENCE)
                    event = feed.next_event(0)
                    if event is not None:
                        event.ack()
                        return event.id or ""
                    readable.clear()
            finally:
                loop.remove_reader(feed.fileno())

        self.assertEqual(asyncio.run(receive()), "event-1")


class Renewing(Case):
    def start_and_expire(self, *options: str) -> tuple[Emulator, Datafeed, dict[str, Any]]:
        """A feed in a long poll, so that it does not renew its session by itself, and the session that has expired."""
        emulator, feed = self.start(*options, poll_ms=600_000)
        self.until(lambda: '"read"' in json.dumps(emulator.call("GET", "requests")))
        session = feed.session()
        self.assertEqual(emulator.ask_agent(session), 200)
        emulator.call("POST", "sessions/expire")
        self.assertEqual(emulator.ask_agent(session), 401)
        return emulator, feed, session

    def test_a_refused_token_is_renewed(self) -> None:
        emulator, feed, session = self.start_and_expire()
        renewed = feed.renew_session(session["sessionToken"], PATIENCE)
        self.assertNotEqual(renewed["sessionToken"], session["sessionToken"])
        self.assertEqual((renewed.keys(), renewed["userId"]), (session.keys(), session["userId"]))
        self.assertIsInstance(renewed["userId"], int)
        self.assertEqual(emulator.ask_agent(renewed), 200)
        self.assertEqual(feed.session(), renewed)
        # It is another one than that of the old token already.
        self.assertEqual(feed.renew_session(session["keyManagerToken"], 0), renewed)
        emulator.publish(message(1))
        self.next(feed).ack()
        self.assertEqual(feed.stats()["logins"], 2)

    def test_a_refused_common_jwt_is_renewed(self) -> None:
        emulator, feed, session = self.start_and_expire("--common-jwt")
        renewed = self.in_thread(lambda: feed.renew_session(session["authorizationToken"]))()
        self.assertTrue(renewed["authorizationToken"].startswith("Bearer "))
        self.assertNotEqual(renewed["authorizationToken"], session["authorizationToken"])
        self.assertEqual(emulator.ask_agent(renewed), 200)

    def test_two_threads_renew_once(self) -> None:
        emulator, feed, session = self.start_and_expire()
        emulator.fault("sessionLogin", {"delayMillis": 300})
        renewing = [self.in_thread(lambda: feed.renew_session(session["sessionToken"])) for _ in range(2)]
        renewed = feed.renew_session(session["sessionToken"])
        for result in renewing:
            self.assertEqual(result(), renewed)
        self.assertEqual(feed.stats()["logins"], 2)

    def test_a_login_may_take_longer_than_any_slice_of_a_wait(self) -> None:
        emulator, feed, session = self.start_and_expire()
        emulator.fault("sessionLogin", {"delayMillis": 2500})
        renewed = feed.renew_session(session["sessionToken"])
        self.assertEqual(emulator.ask_agent(renewed), 200)
        self.assertEqual(emulator.logins(), 2)

    def test_the_time_is_over(self) -> None:
        emulator, feed, session = self.start_and_expire()
        emulator.call("POST", "logins", {"reject": True})
        for renew in (feed.renew_session, lambda *call: self.in_thread(lambda: feed.renew_session(*call))()):
            for timeout in (0, 0.3):
                with self.assertRaises(TimedOutError) as caught:
                    renew(session["sessionToken"], timeout)
                self.assertEqual((caught.exception.code, caught.exception.retryable), ("TIMEOUT", True))
        self.assertIn("AUTH_REJECTED", str(caught.exception))
        emulator.call("POST", "logins", {"reject": False})
        self.assertEqual(emulator.ask_agent(feed.renew_session(session["sessionToken"])), 200)

    def test_close_ends_it(self) -> None:
        emulator, feed, session = self.start_and_expire()
        emulator.fault("sessionLogin", "hang", 1000)
        blocked = self.in_thread(lambda: feed.renew_session(session["sessionToken"]))

        def close_when_blocked() -> None:
            self.until(lambda: emulator.logins() == 2)
            feed.close()

        closing = self.in_thread(close_when_blocked)
        with self.assertRaises(ClosedError):
            feed.renew_session(session["sessionToken"])
        with self.assertRaises(ClosedError):
            blocked()
        closing()
        with self.assertRaises(ClosedError):
            feed.renew_session("not in use", 0)

    def test_a_failed_feed_raises_the_final_error(self) -> None:
        emulator = Emulator()
        self.addCleanup(emulator.stop)
        emulator.call("POST", "logins", {"reject": True})
        with Datafeed(emulator.config) as feed:
            for _ in range(2):
                with self.assertRaises(FeedFailedError) as caught:
                    feed.renew_session("none yet")
                self.assertEqual((caught.exception.code, caught.exception.retryable), ("AUTH_REJECTED", False))

    def test_bad_arguments(self) -> None:
        _, feed = self.start()
        for token, timeout in (("a\0b", None), ("a", -1)):
            with self.assertRaises(ValueError):
                feed.renew_session(token, timeout)

    def test_sigint_raises_keyboard_interrupt_at_once(self) -> None:
        emulator = Emulator(poll_ms=600_000)
        self.addCleanup(emulator.stop)
        script = """
import sys, time
from symphony_datafeed import Datafeed
with Datafeed(sys.argv[1]) as feed:
    while feed.stats()["state"] != "READING":
        time.sleep(0.005)
    print("reading", flush=True)
    sys.stdin.readline()
    try:
        feed.renew_session(feed.session()["sessionToken"])
    except KeyboardInterrupt:
        print("KeyboardInterrupt", feed.stats()["state"], flush=True)
    # Not held up by the login that goes on.
"""
        process = self.in_subprocess(script, emulator.config)
        assert process.stdin is not None and process.stdout is not None
        self.assertEqual(process.stdout.readline(), "reading\n")
        emulator.fault("sessionLogin", "hang", 1000)
        process.stdin.write("\n")
        process.stdin.flush()
        self.until(lambda: emulator.logins() == 2)
        started = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=PATIENCE)
        self.assertEqual((output, errors), ("KeyboardInterrupt READING\n", ""))
        # A slice of the wait, and what the machine needs on top.
        self.assertLess(time.monotonic() - started, PATIENCE / 2)


class Loading(unittest.TestCase):
    def test_a_missing_library_says_what_to_do(self) -> None:
        process = subprocess.run(
            [sys.executable, "-c", "import symphony_datafeed"],
            env={
                **os.environ,
                "DATAFEED_LIBRARY": "/no/such/library.so",
                "PYTHONPATH": str(Path(symphony_datafeed.__file__).parent.parent),
            },
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        self.assertIn("ImportError: the symphony-datafeed library cannot be loaded", process.stderr)
        self.assertIn("set DATAFEED_LIBRARY", process.stderr)


if __name__ == "__main__":
    unittest.main()
