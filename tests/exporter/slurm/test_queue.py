"""The queue: what is told one by one, what is only counted, and what Slurm's words for states and reasons become."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exporter_captured import HOSTILE, Captured, rows
from gpumon_exporter.failures import NoAnswer
from gpumon_exporter.slurm import queue
from gpumon_exporter.slurm.jobs import FIELDS, exit_code, reason_word, tasks
from gpumon_exporter.slurm.queue import Queue
from gpumon_exporter.slurm.records import SlurmJob

TOKEN = "|token"
NOW = 1000.0
PLAIN = {
    "JobID": "7", "ArrayJobID": "7", "ArrayTaskID": "N/A", "HetJobID": "N/A", "UserName": "alice", "Account": "physics",
    "Partition": "h100", "QOS": "normal", "State": "RUNNING", "Reason": "None", "NodeList": "gpu01",
    "SubmitTime": "100", "EligibleTime": "100", "StartTime": "200", "EndTime": "3800", "TimeLimit": "1:00:00",
    "NumCPUs": "8", "NumNodes": "1", "NumTasks": "2", "tres-alloc": "cpu=8,mem=16000M,node=1,gres/gpu=2",
    "tres-per-job": "N/A", "tres-per-node": "gres:gpu:2", "tres-per-task": "N/A", "tres-per-socket": "N/A",
    "PriorityLong": "17", "exit_code": "0", "Name": "train",
}  # fmt: skip
WAITING = {**PLAIN, "State": "PENDING", "Reason": "Priority", "NodeList": "", "StartTime": "N/A", "EndTime": "N/A"}


def told(*records: dict[str, str], most_pending: int = 5000, with_names: bool = True, me: str = "alice") -> Queue:
    """What is read of such records."""
    answer = queue.answer(TOKEN, now=NOW, most_pending=most_pending, with_names=with_names, me=me)
    for record in records:
        answer.feed("".join(record[name] + TOKEN for name in FIELDS) + "\n")
    return answer.done()


def one(**fields: str) -> SlurmJob:
    """The job that a record with these fields is."""
    (job,) = told({**PLAIN, **fields}).jobs
    return job


def waiting(job_id: int, priority: int) -> dict[str, str]:
    """A record that waits."""
    return {**WAITING, "JobID": str(job_id), "ArrayJobID": str(job_id), "PriorityLong": str(priority)}


def test_hostile_names_forge_nothing_and_come_through() -> None:
    reading = Captured(HOSTILE).reader().read()
    columns, found = rows(HOSTILE, "squeue")
    names = {row[0]: row[columns.index("Name")] for row in found}
    assert {job.job_id: job.name for job in reading.jobs} == names
    assert {job.state for job in reading.jobs} == {"running"}
    assert {job.user for job in reading.jobs} == {"alice"}
    held = {(hold.job_id, hold.node, hold.index) for hold in reading.holds}
    indices = (0, 4, 1, 5, 2, 6, 3, 7)
    assert held == {*((str(job), "gpu05", index) for job, index in enumerate(indices, 1)), ("9", "gpu06", 0)}


names = st.text(alphabet=st.one_of(st.sampled_from("|\n ,:=0123456789()"), st.characters(exclude_categories=["Cs"])))


@given(st.lists(st.tuples(names, names), min_size=1, max_size=4))
def test_any_name_and_account_come_through_and_change_no_other_job(texts: list[tuple[str, str]]) -> None:
    records = [
        {**PLAIN, "JobID": str(number), "ArrayJobID": str(number), "Name": name, "Account": account}
        for number, (name, account) in enumerate(texts, 1)
        if TOKEN not in name + account
    ]
    found = told(*records).jobs
    assert [job.name for job in found] == [record["Name"] for record in records]
    assert {(job.user, job.nodes, job.gpus) for job in found} <= {("alice", "gpu01", 2.0)}


def test_names_can_be_left_out() -> None:
    (job,) = told(PLAIN, with_names=False).jobs
    assert job.name == ""


@pytest.mark.parametrize(
    ("slurms", "ours"),
    [
        ("RUNNING", "running"), ("PENDING", "pending"), ("SUSPENDED", "suspended"), ("COMPLETING", "completing"),
        ("CONFIGURING", "configuring"), ("STOPPED", "running"), ("RESIZING", "running"), ("SIGNALING", "running"),
        ("STAGE_OUT", "completing"), ("REQUEUED", "pending"), ("REQUEUE_HOLD", "pending"), ("REQUEUE_FED", "pending"),
        ("SPECIAL_EXIT", "pending"), ("RESV_DEL_HOLD", "pending"),
    ],
)  # fmt: skip
def test_states_are_base_states(slurms: str, ours: str) -> None:
    assert one(State=slurms).state == ours


@pytest.mark.parametrize("state", ["running", "suspended", "configuring"])
def test_who_holds_gpus_is_seen_from_its_state(state: str) -> None:
    assert len(told({**PLAIN, "State": state.upper()}).holders) == 1


@pytest.mark.parametrize("state", ["COMPLETING", "PENDING", "COMPLETED", "STAGE_OUT"])
def test_who_has_given_its_gpus_back_holds_none(state: str) -> None:
    assert told({**PLAIN, "State": state}).holders == ()


def test_who_holds_shards_is_a_holder_without_a_gpu() -> None:
    (holder,) = told({**PLAIN, "tres-alloc": "cpu=8,gres/shard=3", "tres-per-node": "gres:shard:3"}).holders
    assert holder.gpus == 0
    assert told({**PLAIN, "tres-alloc": "cpu=8", "tres-per-node": "N/A"}).holders == ()


@pytest.mark.parametrize(
    ("tres", "asked", "gpus"),
    [
        ("cpu=1,gres/gpu=8,gres/gpu:h100=5", {}, 8),
        ("cpu=1,gres/gpu:h100=5,gres/gpu:a100=2", {}, 7),
        ("cpu=1", {"tres-per-node": "gres/gpu:h100:4"}, 8),
        ("cpu=1", {"tres-per-node": "gres:gpu:a100:1,gres:gpu:l40s:1"}, 4),
        ("cpu=1", {"tres-per-job": "gres/gpu:5"}, 5),
        ("cpu=1", {"tres-per-task": "cpu=2,gres/gpu:3"}, 12),
        ("cpu=1", {"tres-per-node": "gres:shard:4"}, 0),
        ("cpu=1", {"tres-per-socket": "gres/gpu:2"}, None),
        ("cpu=1,gres/gpu=4", {"tres-per-socket": "gres/gpu:2"}, 4),
        ("cpu=1", {}, 0),
        ("N/A", {}, 0),
    ],
)
def test_gpus_are_counted_however_they_were_asked_for(tres: str, asked: dict[str, str], gpus: int | None) -> None:
    unasked = dict.fromkeys(("tres-per-job", "tres-per-node", "tres-per-task", "tres-per-socket"), "N/A")
    record = {**PLAIN, **unasked, "tres-alloc": tres, "NumNodes": "2", "NumTasks": "4", **asked}
    assert told(record).jobs[0].gpus == gpus


def test_what_is_unlimited_or_unknown_has_no_number() -> None:
    job = one(TimeLimit="UNLIMITED", EndTime="NONE", EligibleTime="Unknown", **{"tres-alloc": "cpu=8"})
    assert (job.time_limit_seconds, job.ends_at, job.eligible_at, job.memory_bytes) == (None, None, None, None)


def test_what_does_not_exist_is_empty() -> None:
    job = one(Account="(null)", QOS="(null)", NodeList="(null)")
    assert (job.account, job.qos, job.nodes) == ("", "", "")


def test_a_plan_that_has_passed_is_no_plan() -> None:
    past, future = ({**WAITING, "StartTime": str(int(NOW) + seconds)} for seconds in (-10, 10))
    assert [job.expected_at for job in told(past).jobs] == [None]
    assert [job.expected_at for job in told(future).jobs] == [NOW + 10]
    assert [job.started_at for job in told(future).jobs] == [None]


def test_waiting_jobs_beyond_the_limit_are_counted_only() -> None:
    found = told(
        *(waiting(number, priority) for number, priority in ((1, 10), (2, 30), (3, 20), (4, 30), (5, 0))),
        most_pending=3,
    )
    assert [job.job_id for job in found.jobs] == ["2", "3", "4"], "those of the highest priority"
    assert dict(found.left_out)["pending_jobs"] == 2
    assert sum(count.jobs for count in found.counts) == 5
    assert found.records == 5


def test_at_the_same_priority_the_older_job_is_told() -> None:
    assert [job.job_id for job in told(*(waiting(number, 5) for number in (3, 1, 2)), most_pending=2).jobs] == [
        "1",
        "2",
    ]


def test_no_waiting_job_may_be_told_at_all() -> None:
    found = told(PLAIN, waiting(8, 1), most_pending=0)
    assert [job.job_id for job in found.jobs] == ["7"]
    assert dict(found.left_out)["pending_jobs"] == 1


def test_running_jobs_are_told_whatever_the_limit() -> None:
    assert len(told(*({**PLAIN, "JobID": str(number)} for number in range(1, 6)), most_pending=1).jobs) == 5


def test_a_folded_array_counts_with_all_its_tasks() -> None:
    found = told({**WAITING, "ArrayTaskID": "3-199:2%1"})
    assert [(job.array_job_id, job.array_task_id, job.array_tasks) for job in found.jobs] == [("7", "3-199:2%1", 99)]
    (count,) = found.counts
    assert (count.jobs, count.cpus, count.gpus, count.oldest) == (99, 99 * 8, 99 * 2, 100.0)


@pytest.mark.parametrize(
    ("text", "number"),
    [("", None), ("7", None), ("0-19", 20), ("2-19%2", 18), ("3-199:2%1", 99), ("1,3,5-9", 7), ("1,3%1", 2)],
)
def test_tasks(text: str, number: int | None) -> None:
    assert tasks(text) == number


def test_an_endless_list_of_tasks_is_cut_but_counted() -> None:
    job = one(State="PENDING", ArrayTaskID=",".join(str(number) for number in range(0, 2000, 2)))
    assert job.array_tasks == 1000
    assert len(job.array_task_id) == 200


@pytest.mark.parametrize(
    ("reason", "word"),
    [
        ("Resources", "Resources"),
        ("ReqNodeNotAvail, UnavailableNodes:gpu07", "ReqNodeNotAvail"),
        (
            "Nodes required for job are DOWN, DRAINED or reserved for jobs in higher priority partitions",
            "Resources",
        ),
        ("launch failed requeued held", "launch failed requeued held"),
        ("None", "None"),
    ],
)
def test_reasons_are_counted_by_their_word_and_told_in_full(reason: str, word: str) -> None:
    assert reason_word(reason) == word
    found = told({**WAITING, "Reason": reason})
    assert [count.reason for count in found.counts] == [word]
    assert [job.reason for job in found.jobs] == [reason]


def test_who_does_not_wait_has_no_reason() -> None:
    assert one(State="RUNNING", Reason="None").reason == ""


@pytest.mark.parametrize(
    ("text", "code"),
    [("0", "0:0"), ("768", "3:0"), ("9", "0:9"), ("139", "0:11"), ("3:0", "3:0"), ("", ""), ("N/A", "")],
)
def test_exit_codes_are_status_and_signal(text: str, code: str) -> None:
    assert exit_code(text) == code


def test_a_job_that_ended_is_no_job_any_more() -> None:
    found = told({**PLAIN, "State": "OUT_OF_MEMORY", "EndTime": "900", "exit_code": "0:125"})
    assert found.jobs == ()
    (job,) = found.finished
    assert (job.job_id, job.state, job.exit_code, job.ended_at) == ("7", "out_of_memory", "0:125", 900.0)
    assert [count.state for count in found.counts] == ["out_of_memory"]


def test_a_job_that_another_cluster_took_is_neither() -> None:
    found = told({**PLAIN, "State": "REVOKED"})
    assert (found.jobs, found.finished) == ((), ())


def test_jobs_of_others_are_noticed() -> None:
    assert told(PLAIN, me="bob").has_strangers
    assert not told(PLAIN, me="alice").has_strangers


@pytest.mark.parametrize("number", ["", "24_7", "x", "-1"])
def test_a_record_without_a_number_is_no_answer(number: str) -> None:
    with pytest.raises(NoAnswer, match="without a number"):
        told({**PLAIN, "JobID": number})


def test_one_squeue_asks_for_everything() -> None:
    command = queue.command("|t")
    assert command[:8] == ["squeue", "-a", "-h", "--local", "--noconvert", "-t", "all", "-O"]
    assert command[8].endswith(",exit_code:|t,Name:|t")
