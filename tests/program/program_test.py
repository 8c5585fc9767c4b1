# SPDX-License-Identifier: Apache-2.0
"""The program as people run it: flags, files, signals, mistakes.

Goal: `martlet serve`, and the same program under the name nats-server, start, say where they
listen, can be steered and end as nats-server does; each mistake is one clear sentence and a status.
Method: real processes on free ports in a temporary folder. MARTLET_PROGRAM names the program.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import tempfile
import time
import unittest

PROGRAM = os.environ.get("MARTLET_PROGRAM", "build/release/bin/martlet")
PATIENCE_SECONDS = 30


def run(
    *words: str, cwd: str | None = None, program: str = PROGRAM
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [os.path.abspath(program), *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )


class Server:
    """A running server, its folder and its ports."""

    def __init__(
        self,
        folder: str,
        *flags: str,
        program: str = PROGRAM,
        subcommand: tuple[str, ...] = ("serve",),
        host: str = "127.0.0.1",
    ) -> None:
        self.name = os.path.basename(program)
        self.log_path = pathlib.Path(folder, "stderr.log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(
                [
                    os.path.abspath(program),
                    *subcommand,
                    "-a",
                    host,
                    "-p",
                    "-1",
                    "--ports_file_dir",
                    folder,
                    *flags,
                ],
                stdout=log,
                stderr=log,
                cwd=folder,
            )
        self.ports_path = pathlib.Path(folder, f"{self.name}_{self.process.pid}.ports")
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not self.ports_path.exists():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.process.kill()
                raise AssertionError("no server: " + self.log())
            time.sleep(0.01)
        self.ports = json.loads(self.ports_path.read_text())
        self.port = int(self.ports["nats"][0].rsplit(":", 1)[1])

    def log(self) -> str:
        return self.log_path.read_text()

    def wait_for(self, text: str, path: pathlib.Path | None = None) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        where = path or self.log_path
        while not where.exists() or text not in where.read_text():
            if time.monotonic() > deadline:
                raise AssertionError(
                    f"{text!r} never came: {where.read_text() if where.exists() else 'no file'}"
                )
            time.sleep(0.01)

    def connect(self) -> dict[str, object]:
        """The INFO that a client gets."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE_SECONDS) as client:
            line = client.makefile("rb").readline()
        assert line.startswith(b"INFO "), line
        return json.loads(line[5:])

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(PATIENCE_SECONDS)


class ProgramTest(unittest.TestCase):
    def setUp(self) -> None:
        self.temporary = tempfile.TemporaryDirectory(prefix="martlet-program-")
        self.folder = self.temporary.name
        self.servers: list[Server] = []

    def tearDown(self) -> None:
        for server in self.servers:
            if server.process.poll() is None:
                server.process.kill()
            server.process.wait()
        self.temporary.cleanup()

    def serve(self, *flags: str, **how: object) -> Server:
        server = Server(self.folder, *flags, **how)  # type: ignore[arg-type]
        self.servers.append(server)
        return server

    def write(self, name: str, text: str) -> str:
        path = pathlib.Path(self.folder, name)
        path.write_text(text, encoding="utf-8")
        return str(path)

    def nats_server_link(self) -> str:
        link = os.path.join(self.folder, "nats-server")
        os.symlink(os.path.abspath(PROGRAM), link)
        return link

    # What needs no server.

    def test_version(self) -> None:
        for words in (
            ["version"],
            ["--version"],
            ["-v"],
            ["serve", "-v"],
            ["serve", "version"],
            ["serve", "--version"],
        ):
            done = run(*words)
            self.assertEqual(done.returncode, 0, words)
            self.assertRegex(done.stdout, r"^martlet: v\d+\.\d+\.\d+ \(NATS 2\.15\.2\)\n$")
            self.assertEqual(done.stderr, "")

    def test_version_under_the_name_nats_server(self) -> None:
        done = run("-v", program=self.nats_server_link())
        self.assertRegex(done.stdout, r"^nats-server: v2\.15\.2 \(martlet ")

    def test_help(self) -> None:
        for words in (["serve", "-h"], ["serve", "--help"], ["serve", "help"], ["serve", "-help"]):
            done = run(*words)
            self.assertEqual(done.returncode, 0)
            self.assertIn("Usage: martlet serve [options]", done.stdout)
        self.assertIn(
            "Usage: nats-server [options]", run("-h", program=self.nats_server_link()).stdout
        )
        self.assertIn("serve", run("help").stdout)

    def test_unknown_command(self) -> None:
        done = run("fly")
        self.assertEqual(done.returncode, 2)
        self.assertIn("no command fly", done.stderr)
        self.assertEqual(run().returncode, 2)

    def test_wrong_flags(self) -> None:
        for words, sentence in (
            (["-zz"], "flag provided but not defined: -zz"),
            (["-p"], "flag needs an argument: -p"),
            (["-p", "abc"], 'invalid value "abc" for flag -p: parse error'),
            (["-D=zz"], 'invalid boolean value "zz" for -D: parse error'),
            (["---p"], "bad flag syntax: ---p"),
        ):
            done = run("serve", *words)
            self.assertEqual(done.stderr, sentence + "\n")
            self.assertIn("Usage:", done.stdout)
            self.assertEqual(done.returncode, 0, "as nats-server")
        done = run("serve", "nonsense")
        self.assertEqual(
            (done.returncode, done.stderr), (1, 'martlet: unrecognized command: "nonsense"\n')
        )

    def test_flags_that_come_later(self) -> None:
        for words in (
            ["-js"],
            ["--jetstream"],
            ["-sd", "x"],
            ["--tls"],
            ["--tlscert=x"],
            ["--routes", "x"],
            ["--cluster", "nats://x:1"],
            ["--cluster_name=x"],
            ["-ms", "1"],
            ["--profile", "1"],
        ):
            done = run("serve", *words)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, r"^martlet: flag -\w+ comes later: this version has no ")

    def test_check_needs_a_file(self) -> None:
        done = run("serve", "-t")
        self.assertEqual(done.returncode, 1)
        self.assertEqual(
            done.stderr,
            "martlet: must specify [-c, --config] option to check configuration file syntax\n",
        )

    def test_check_of_good_and_bad_files(self) -> None:
        good = self.write("good.conf", "port: 4222\nmax_payload: 2MB\n")
        done = run("serve", "-c", good, "-t")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(
            done.stderr,
            rf"^martlet: configuration file {re.escape(good)} is valid "
            r"\(sha256:[0-9a-f]{64}\)\n$",
        )
        self.assertEqual(
            run("serve", "-c", self.write("bad.conf", "port: abc"), "-t").returncode, 1
        )
        warned = run("serve", "-c", self.write("warned.conf", "ping_interval: 5"), "-t")
        self.assertEqual(warned.returncode, 1)
        self.assertIn("ping_interval should be converted to a duration", warned.stderr)

    def test_files_that_cannot_be_read(self) -> None:
        done = run("serve", "-c", "/nope/x.conf")
        self.assertEqual(
            (done.returncode, done.stderr),
            (1, "martlet: open /nope/x.conf: no such file or directory\n"),
        )
        done = run("serve", "-c", self.folder)
        self.assertEqual(done.returncode, 1)
        self.assertIn(f"read {self.folder}: is a directory", done.stderr)
        binary = os.path.join(self.folder, "binary.conf")
        pathlib.Path(binary).write_bytes(bytes(range(256)) * 10)
        self.assertEqual(run("serve", "-c", binary).returncode, 1)

    def test_limits_that_contradict_each_other(self) -> None:
        done = run("serve", "-p", "-1", "-c", self.write("x.conf", "max_payload: 100MB"))
        self.assertEqual(done.returncode, 1)
        self.assertIn(
            "max_payload (104857600) cannot be higher than max_pending (67108864)", done.stderr
        )
        done = run("serve", "--user", "u", "--pass", "p", "--auth", "t")
        self.assertEqual(done.returncode, 1)
        self.assertIn("Cannot have a user/pass and token", done.stderr)

    def test_port_out_of_range(self) -> None:
        done = run("serve", "-p", "70000")
        self.assertEqual(done.returncode, 1)
        self.assertIn("is not between -1 and 65535", done.stderr)

    def test_advertised_address_that_is_none(self) -> None:
        done = run("serve", "-a", "127.0.0.1", "-p", "-1", "--client_advertise", "a:b")
        self.assertEqual(done.returncode, 1)
        self.assertIn(
            "[FTL] Error setting server INFO with ClientAdvertise value of a:b, "
            'err=strconv.Atoi: parsing "b": invalid syntax',
            done.stderr,
        )

    def test_paths_that_cannot_be_written(self) -> None:
        for flag in ("-l", "-P", "--ports_file_dir"):
            done = run("serve", "-a", "127.0.0.1", "-p", "-1", flag, "/nope/here")
            self.assertEqual(done.returncode, 1, flag)
            self.assertIn("/nope/here", done.stderr, flag)

    # A server that runs.

    def test_starts_says_so_and_stops(self) -> None:
        server = self.serve()
        server.wait_for("Server is ready")
        lines = server.log().splitlines()
        shape = (
            rf"^\[{server.process.pid}\] \d{{4}}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{{6}} \[(INF|WRN)\] "
        )
        for line in lines:
            self.assertRegex(line, shape)
        self.assertTrue(lines[0].endswith("[INF] Starting martlet"))
        self.assertTrue(
            any(
                line.endswith(f"[INF] Listening for client connections on 127.0.0.1:{server.port}")
                for line in lines
            )
        )
        info = server.connect()
        self.assertEqual(info["version"], "2.15.2")
        self.assertEqual(info["port"], server.port)
        self.assertEqual(server.stop(), 0)
        self.assertIn('Trapped "terminated" signal', server.log())
        self.assertTrue(server.log().endswith("[INF] Server Exiting..\n"))
        self.assertFalse(server.ports_path.exists())

    def test_interrupt_stops_it_too(self) -> None:
        self.assertEqual(self.serve().stop(signal.SIGINT), 0)

    def test_under_the_name_nats_server(self) -> None:
        server = self.serve(program=self.nats_server_link(), subcommand=())
        self.assertEqual(server.ports_path.name, f"nats-server_{server.process.pid}.ports")
        self.assertEqual(server.stop(), 0)

    def test_ports_file_names_every_address(self) -> None:
        server = self.serve(host="0.0.0.0")
        self.assertIn(f"nats://127.0.0.1:{server.port}", server.ports["nats"])

    def test_pid_file(self) -> None:
        path = os.path.join(self.folder, "server.pid")
        server = self.serve("-P", path)
        self.assertEqual(pathlib.Path(path).read_text(), str(server.process.pid))

    def test_name_and_flags_beat_the_file(self) -> None:
        path = self.write("x.conf", "server_name: from_file\nport: 1\nmax_payload: 1234\n")
        server = self.serve("-c", path, "--name", "from_flag")
        info = server.connect()
        self.assertEqual((info["server_name"], info["max_payload"]), ("from_flag", 1234))
        server.wait_for(f"Using configuration file: {path} (sha256:")

    def test_a_file_with_warnings_still_starts(self) -> None:
        server = self.serve("-c", self.write("x.conf", "ping_interval: 5"))
        self.assertIn('invalid use of field "ping_interval"', server.log())

    def test_user_from_flags(self) -> None:
        self.assertTrue(self.serve("--user", "u", "--pass", "p").connect()["auth_required"])

    def test_taken_port(self) -> None:
        server = self.serve()
        done = run("serve", "-a", "127.0.0.1", "-p", str(server.port))
        self.assertEqual(done.returncode, 1)
        self.assertIn("[FTL] ", done.stderr)
        self.assertIn(f"127.0.0.1:{server.port}", done.stderr)
        self.assertIn("address already in use", done.stderr.lower())
        server.connect()

    def test_log_file_and_reopen(self) -> None:
        path = pathlib.Path(self.folder, "server.log")
        server = self.serve("-l", str(path))
        server.wait_for("Server is ready", path)
        self.assertEqual(server.log(), "")
        moved = pathlib.Path(self.folder, "moved.log")
        path.rename(moved)
        server.process.send_signal(signal.SIGUSR1)
        server.wait_for("File log re-opened", path)
        self.assertEqual(server.stop(), 0)
        self.assertIn("Server Exiting..", path.read_text())
        self.assertNotIn("Exiting", moved.read_text())

    def test_log_without_time(self) -> None:
        server = self.serve("-T=false")
        server.wait_for("Server is ready")
        self.assertEqual(
            server.log().splitlines()[0], f"[{server.process.pid}] [INF] Starting martlet"
        )

    def test_signals_that_come_later_change_nothing(self) -> None:
        server = self.serve()
        server.process.send_signal(signal.SIGHUP)
        server.wait_for("Reload of the configuration comes later")
        server.process.send_signal(signal.SIGUSR2)
        server.wait_for("Lame duck mode comes later")
        server.connect()

    def test_signal_flag(self) -> None:
        pid_path = os.path.join(self.folder, "server.pid")
        server = self.serve("-P", pid_path)
        self.assertEqual(run("serve", "-sl", f"reopen={server.process.pid}").returncode, 0)
        server.wait_for("File log re-open ignored, not a file logger")
        later = run("serve", "--signal", f"reload={pid_path}")
        self.assertEqual(
            (later.returncode, later.stderr),
            (1, 'martlet: signal "reload" comes later: this version has no reload\n'),
        )
        self.assertEqual(run("serve", f"--signal=term={pid_path}").returncode, 0)
        self.assertEqual(server.process.wait(PATIENCE_SECONDS), 0)
        self.assertEqual(run("serve", "-sl", "foo").stderr, 'martlet: unknown signal "foo"\n')
        gone = run("serve", "-sl", f"quit={server.process.pid}")
        self.assertEqual(gone.returncode, 1)
        self.assertIn("no such process", gone.stderr)

    def test_stop_signal_kills(self) -> None:
        server = self.serve()
        self.assertEqual(run("serve", "-sl", f"stop={server.process.pid}").returncode, 0)
        self.assertEqual(server.process.wait(PATIENCE_SECONDS), -signal.SIGKILL)


if __name__ == "__main__":
    unittest.main(verbosity=2)
