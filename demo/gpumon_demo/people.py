"""Who works on the simulated cluster, for which account, and what they call their jobs."""

from __future__ import annotations

from gpumon_demo.chance import early
from gpumon_demo.rhythm import Kind

USERS = (
    ("mlange", "vision"), ("akim", "nlp"), ("jnovak", "nlp"), ("sfischer", "climate"), ("priya", "vision"),
    ("tobias", "robotics"), ("ychen", "nlp"), ("leila", "genomics"), ("dsilva", "physics"), ("nora", "climate"),
    ("bakker", "physics"), ("hwang", "teaching"), ("ines", "genomics"), ("rossi", "teaching"),
)  # fmt: skip
"""User and account; the first ones use the cluster most."""

ACCOUNTS = tuple(sorted({account for _, account in USERS}))

_NAMES = {
    Kind.TRAIN: ("llama-pretrain", "vit-h-448", "moe-8x7b stage 2", "diffusion-xl", "whisper-ft-de", "sweep [lr=3e-4]",
                 "résumé-parser-v2", "gpt-neox ablation"),
    Kind.FINETUNE: ("lora-13b", "bert-qa", "sam2-cells", "clip-ft", "rlhf-ppo", "Größenmodell-v3"),
    Kind.SERVE: ("vllm-batch", "embed-corpus", "eval-harness", "triton-bench", "ocr [all pages]"),
    Kind.SIMULATE: ("gromacs-md", "namd-spike", "icon-r2b8", "lattice-qcd", "openmm-folding", "wrf 3km north"),
    Kind.STARVED: ("train_v2_final", "unet-baseline", "resnet50-imagenet", "test123", "dataloader-debug"),
    Kind.INTERACTIVE: ("interactive", "jupyter", "bash", "vscode-tunnel", "ood-desktop"),
    Kind.STUCK: ("ddp-64 \"final\" run", "allreduce-test", "pretrain_v7", "训练-中文-bert"),
    Kind.CPU: ("blast-nr", "fastq-align", "preprocess", "tokenize-c4", "snakemake", "monte carlo 10^9", "it's alive"),
}  # fmt: skip


def users(gpus: int) -> tuple[tuple[str, str], ...]:
    """User and account of everybody who works on a cluster of that many GPUs: a larger one has more users."""
    more = max(0, gpus // 60 - len(USERS))
    return USERS + tuple((f"u{number:04d}", USERS[number % len(USERS)][1]) for number in range(1001, 1001 + more))


def job_name(kind: Kind, *keys: int) -> str:
    """What somebody calls a job of that kind."""
    return early(_NAMES[kind], *keys)
