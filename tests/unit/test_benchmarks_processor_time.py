"""CPU time by process: what is read of /proc, how it is grouped and scaled, and when one commit is worse than another."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import running_tree
from benchmarks.comparison import CPU_OF_ALL, CPU_OF_PROCESS, FOR_INFORMATION, RATE, Comparison, Kind
from benchmarks.comparison import table as comparison_table
from benchmarks.figures import GENERATOR, CpuCost, Row, markdown, table
from benchmarks.machine import TICK
from benchmarks.processor_time import (
    ProcessorMeter,
    ProcessTimes,
    parse_stat,
    process_table,
    seconds_by_group,
    system_roots,
)
from benchmarks.reference_loop import REFERENCE, loop_milliseconds
from benchmarks.running_tree import worktree
from deploy.local.child_process import CannotStart, write_pidfile
from deploy.local.environment import ROOT


class TestWhatIsReadOfProc:
    def test_a_name_with_spaces_and_parentheses_does_not_move_the_fields(self) -> None:
        text = f"4711 (a (b) c) S 12 1 1 0 -1 4194304 1 2 3 4 {2 * TICK} {TICK} {4 * TICK} {3 * TICK} 20 0 1 0 99"
        assert parse_stat(text) == ProcessTimes(parent=12, own=3.0, ended_children=7.0)

    def test_the_table_has_this_process_and_its_parent(self) -> None:
        child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        try:
            assert process_table()[child.pid].parent in process_table()
        finally:
            child.communicate(b"\n")

    def test_a_child_that_has_ended_is_counted_with_its_parent(self) -> None:
        # Given a process whose child works and ends, as a backend of PostgreSQL does
        work = "import time\nwhile time.process_time() < 0.2: pass"
        parent_code = (
            f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {work!r}])\nprint(flush=True)\ninput()"
        )
        parent = subprocess.Popen(
            [sys.executable, "-c", parent_code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert parent.stdout is not None
        parent.stdout.readline()
        # Then its time is in the group of the parent
        seconds = seconds_by_group(process_table(), {"server": parent.pid})
        parent.communicate("\n")
        ticks_cut_off = 4  # of the child's and the parent's user and system time, each
        assert seconds["server"] >= 0.2 - ticks_cut_off / TICK


class TestGroups:
    TABLE = {
        1: ProcessTimes(0, 9.0, 9.0),
        10: ProcessTimes(1, 1.0, 0.5),  # the launcher
        20: ProcessTimes(10, 2.0, 0.25),  # a service
        21: ProcessTimes(20, 4.0, 0.0),  # a program that it runs
        30: ProcessTimes(10, 8.0, 0.0),  # another service
        99: ProcessTimes(77, 16.0, 0.0),  # a process whose parent ended meanwhile
    }

    def test_a_process_counts_for_the_nearest_root_above_it(self) -> None:
        roots = {"launcher": 10, "media": 20, "notify": 30}
        assert seconds_by_group(self.TABLE, roots) == {"launcher": 1.5, "media": 6.25, "notify": 8.0}

    def test_what_belongs_to_no_root_is_left_out(self) -> None:
        assert seconds_by_group(self.TABLE, {"notify": 30}) == {"notify": 8.0}

    def test_the_roots_are_found_by_the_pid_files_of_the_local_run(self, tmp_path: Path) -> None:
        for name in ("run/tracking.pid", "postgresql/pid", "rabbitmq/pid"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            write_pidfile(tmp_path / name)
        (tmp_path / "rabbitmq" / "pid").write_text("1 1\n")  # a leftover of a process that is gone
        assert set(system_roots(tmp_path)) == {"tracking", "PostgreSQL"}


class TestAMeasurement:
    def test_gives_the_cost_of_each_unit(self) -> None:
        answer = "end = time.process_time() + 0.1\n while time.process_time() < end: pass\n print(flush=True)"
        work = f"import time\nwhile True:\n input()\n {answer}"
        service = subprocess.Popen(
            [sys.executable, "-c", work], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert service.stdin is not None
        assert service.stdout is not None

        def request() -> int:
            assert service.stdin is not None
            assert service.stdout is not None
            for _ in range(2):
                service.stdin.write("\n")
                service.stdin.flush()
                service.stdout.readline()
            return 2

        meter = ProcessorMeter(lambda: {"service": service.pid})
        _, cost = meter.cost_of("request", request, float)
        service.kill()
        service.communicate()
        assert cost.by_process["service"] >= 90  # 100 ms of work for each, less a tick
        assert cost.by_process[GENERATOR] < cost.by_process["service"]

    def test_is_refused_when_a_process_was_replaced(self) -> None:
        pids = iter(({"tracking": 1}, {"tracking": 2}, {"tracking": 2}))
        with pytest.raises(RuntimeError, match="tracking did not live through"):
            ProcessorMeter(lambda: next(pids)).at_rest(0.0)


class TestScaling:
    def test_by_the_mean_of_the_loop_before_and_after(self) -> None:
        # Given a machine on which the loop takes twice as long as on the reference machine
        cost = CpuCost("lifecycle", {"tracking": 60.0, "notify": 20.0, GENERATOR: 2.0}, (REFERENCE, REFERENCE * 3))
        assert cost.scaled() == {"tracking": 30.0, "notify": 10.0, GENERATOR: 1.0}
        # Then the load generator is no part of what the system costs
        assert cost.system == 80.0
        assert cost.as_json()["all_scaled_ms"] == 40.0

    def test_both_are_printed(self) -> None:
        costs = tuple(
            CpuCost("lifecycle", {"notify": 20.0 * n, "tracking": 60.0 * n}, (REFERENCE * 2, REFERENCE * 2))
            for n in (1, 2, 3)
        )
        rows = [Row("memory", "MiB", (1.0,)), Row("lifecycles", "1/s", (9.0, 10.0, 11.0), cpu=costs)]
        page = markdown(rows)
        assert "| CPU ms of each |  | loop | all | tracking | notify | load generator |" in page
        assert f"| lifecycle | scaled | {REFERENCE:.0f} | 80 | 60 | 20 | 0 |" in page
        assert f"| lifecycle | measured | {REFERENCE * 2:.0f} | 160 | 120 | 40 | 0 |" in page
        assert "lifecycle" in table(rows)
        assert "CPU ms" not in table(rows[:1])

    def test_the_loop_takes_time(self) -> None:
        assert loop_milliseconds() > 0


class TestTheGate:
    @pytest.mark.parametrize(
        ("kind", "tree", "commit", "verdict"),
        [
            pytest.param(CPU_OF_ALL, (48, 49, 50), (88, 89, 90), "better", id="half the work"),
            pytest.param(CPU_OF_ALL, (95, 96, 97), (88, 89, 90), "worse", id="8 % more work, which every round shows"),
            pytest.param(CPU_OF_ALL, (92, 93, 94), (89, 90, 91), "", id="within the tolerance"),
            pytest.param(CPU_OF_ALL, (80, 96, 115), (90, 90, 90), "", id="beyond it, and within the spread"),
            pytest.param(RATE, (20, 21, 22), (30, 30, 30), "worse", id="a lower rate is worse"),
            pytest.param(RATE, (33, 34, 35), (17, 17, 17), "better", id="a higher rate is better"),
            pytest.param(CPU_OF_PROCESS, (0.4, 0.4, 0.4), (0.1, 0.1, 0.1), "", id="too small to matter"),
            pytest.param(
                CPU_OF_PROCESS, (9.0, 9.0, 9.0), (0.0, 0.0, 0.0), "worse", id="a process that the commit has not"
            ),
            pytest.param(CPU_OF_PROCESS, (0.0, 0.0, 0.0), (0.0, 0.0, 0.0), "", id="neither has it"),
            pytest.param(CPU_OF_ALL, (math.nan,) * 3, (90, 90, 90), "", id="nothing was measured"),
            pytest.param(FOR_INFORMATION, (900, 900, 900), (9, 9, 9), "", id="never judged"),
        ],
    )
    def test_judges_the_median_ratio_beyond_tolerance_and_spread(
        self, kind: Kind, tree: tuple[float, ...], commit: tuple[float, ...], verdict: str
    ) -> None:
        assert Comparison("figure", kind, tree, commit).verdict == verdict

    def test_rounds_are_compared_with_the_round_beside_them(self) -> None:
        # Given a machine that became twice as slow after the first round, for both
        comparison = Comparison("CPU", CPU_OF_ALL, (40.0, 80.0, 80.0), (80.0, 160.0, 160.0))
        assert (comparison.ratio, comparison.spread, comparison.verdict) == (0.5, 0.0, "better")
        assert "0.50" in comparison_table([comparison], "3b4876f")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a clone")
class TestTheOtherTree:
    def test_is_checked_out_for_the_time_of_the_comparison(self, tmp_path: Path) -> None:
        with worktree("HEAD", tmp_path, tmp_path / "environments", print) as tree:
            assert (tree / "peygir").exists()
            # And it has a virtual environment, this one where its requirements are the same
            assert (tree / ".venv").is_symlink()
        assert not tree.exists()

    def test_a_commit_with_other_requirements_has_an_environment_of_its_own(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        nothing_installed = tmp_path / "clone"
        (nothing_installed / ".venv").mkdir(parents=True)
        monkeypatch.setattr(running_tree, "_OWN_ENVIRONMENT", nothing_installed / ".venv")
        (tmp_path / "trees").mkdir()
        with worktree("HEAD", tmp_path / "trees", tmp_path / "environments", print) as tree:
            [environment] = (tmp_path / "environments").iterdir()
            assert (tree / ".venv").resolve() == environment
            assert (tree / ".venv" / "bin" / "python").exists()

    def test_an_unknown_commit_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(CannotStart, match="0123456789"), worktree("0123456789", tmp_path, tmp_path, print):
            pass
