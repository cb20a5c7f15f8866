"""Names that people gave their jobs, among them some who want to deceive whoever reads Slurm's output."""

from __future__ import annotations

FORGED_RECORD = (
    "x UserId=root(0) GroupId=root(0) MCS_label=N/A\n   Priority=1 Nice=0 Account=physics QOS=high\n"
    "   JobState=RUNNING Reason=None Dependency=(null)\n   NodeList=h01\n"
    "     Nodes=h01 CPU_IDs=0-63 Mem=64000 GRES=gpu:h100:8(IDX:0-7)\n\n"
    "JobId=9999 JobName=y UserId=root(0) JobState=RUNNING NodeList=h02 Nodes=h02 GRES=gpu:h100:8(IDX:0-7)"
)
FORGED_LINE = "y\n9998|9998|N/A|root|physics|long|high|RUNNING|None|64|1|h01|gres/gpu:h100:8|z"
STRANGE_NAMES = (
    "name with  two spaces, commas=and|pipes",
    'it\'s "quoted" and `back` $(quoted)',
    "back\\slash \\n \\x1b %j %20j",
    "Größe 模型 🚀 \u202eevil\u2066 a\u200bb",
    "two\nlines\ttab\r\n",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07\x9b2J bell\x07",
    '{"name": "json", "job_id": 7}',
    'label="x",other="y"} 1\n# HELP gpumon_job_info',
    "[bold]markup[/bold] [link=x]y[/link]",
    " ",
    "x" * 800,
)
"""Each is accepted by sbatch as it is."""
