"""Trainings of one epoch on tiny data: losses, judgements, counts, options and their errors."""

from __future__ import annotations

import importlib
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from language_training.causal_networks import NETWORKS, build
from language_training.sentiment_networks import NETWORKS as SENTIMENT
from tests.training.language.conftest import Begin
from torch.nn.functional import cross_entropy

from trainer.errors import TrainingError
from trainer.task import Setup

BERT = "language_training.bert:BertPretraining"
SST2 = "language_training.fine_tuning:BertSst2"
SENTIMENT_TASK = "language_training.sentiment:Sentiment"
LLM = "language_training.llm:LanguageModel"
LORA = "language_training.lora:LowRankAdaptation"


def test_bert_is_pretrained(begin: Begin, wikipedia: Path) -> None:
    training = begin(BERT, wikipedia)
    found = training.run()
    assert found.quality is not None and 0 <= found.quality <= 1
    batch = training.train_split.batch([0, 1], torch.Generator())
    assert training.task.tokens(batch) == 2 * 20
    first, second = (training.task.splits()[1].columns for _ in range(2))  # type: ignore[attr-defined]
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_berts_loss_is_that_of_transformers(begin: Begin, wikipedia: Path) -> None:
    training = begin(BERT, wikipedia)
    batch = training.train_split.batch([0, 1], torch.Generator().manual_seed(1))
    training.bare.eval()
    labels = torch.full_like(batch["ids"], -100).scatter(1, batch["positions"], batch["labels"])
    whole: Any = training.bare.network
    expected = whole(
        input_ids=batch["ids"], token_type_ids=batch["segments"], labels=labels, next_sentence_label=batch["follows"]
    ).loss
    assert torch.isclose(training.task.loss(training.bare, batch), expected, rtol=1e-5)


def test_bert_can_start_from_a_checkpoint(begin: Begin, wikipedia: Path, tmp_path: Path) -> None:
    from transformers import BertConfig, BertForPreTraining

    config = BertConfig(vocab_size=60, hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8)
    given = BertForPreTraining(config)
    given.save_pretrained(tmp_path / "given")
    training = begin(BERT, wikipedia, options={"checkpoint": str(tmp_path / "given")})
    state = training.bare.network.state_dict()
    assert all(torch.equal(state[name], value) for name, value in given.state_dict().items())


def test_bert_is_fine_tuned_above_its_frozen_layers(begin: Begin, sst2: Path, small_bert: Path) -> None:
    options = {"checkpoint": str(small_bert), "frozen_layers": "1"}
    training = begin(SST2, sst2, {"epochs": 2}, options=options)
    before = {name: value.clone() for name, value in training.bare.state_dict().items()}
    found = training.run()
    changed = {name for name, value in training.bare.state_dict().items() if not torch.equal(value, before[name])}
    assert any("layer.1" in name for name in changed) and any("classifier" in name for name in changed)
    assert not any("embeddings" in name or "layer.0" in name for name in changed)
    assert found.model.trainable < found.model.parameters


def test_all_of_bert_is_fine_tuned_where_nothing_is_frozen(begin: Begin, sst2: Path, small_bert: Path) -> None:
    training = begin(SST2, sst2, options={"checkpoint": str(small_bert), "frozen_layers": "0"})
    assert all(parameter.requires_grad for parameter in training.bare.parameters())
    with pytest.raises(TrainingError, match="has 2 layers"):
        begin(SST2, sst2, options={"checkpoint": str(small_bert), "frozen_layers": "3"})


@pytest.mark.parametrize("network", sorted(SENTIMENT))
def test_sentiment_is_learnt(begin: Begin, imdb: Path, network: str) -> None:
    found = begin(SENTIMENT_TASK, imdb, {"epochs": 12, "learning_rate": 0.01}, options={"network": network}).run()
    assert found.ended_by == "target"


@pytest.mark.parametrize("network", sorted(SENTIMENT))
def test_padding_does_not_change_a_judgement(network: str) -> None:
    torch.manual_seed(0)
    model = SENTIMENT[network](20, 8).eval()
    ids = torch.tensor([[4, 5, 6, 7, 8]])
    padded = torch.nn.functional.pad(ids, (0, 6))
    alone, among = model(ids, torch.ones_like(ids)), model(padded, (padded > 0).long())
    assert torch.allclose(alone, among, atol=1e-6)


@pytest.mark.parametrize("network", ["tiny", "tiny-gpt"])
def test_a_language_model_is_trained(begin: Begin, c4: Path, network: str) -> None:
    training = begin(LLM, c4, {"epochs": 3, "eval_batch_size": 3}, options={"network": network, "length": "16"})
    found = training.run()
    assert found.quality is not None and found.quality < math.log(300)
    rows = training.eval_split.columns["ids"]  # type: ignore[attr-defined]
    training.bare.eval()
    with torch.no_grad():
        scores = training.bare(input_ids=rows).logits[:, :-1].flatten(0, 1)
        assert found.quality == pytest.approx(float(cross_entropy(scores, rows[:, 1:].flatten())), rel=1e-5)


@pytest.mark.parametrize(
    ("network", "billions"), [("llama31-8b", 8.03), ("gpt3-175b", 174.6), ("smollm2-135m", 0.1345)]
)
def test_the_official_networks_have_their_sizes(network: str, billions: float) -> None:
    shape = NETWORKS[network]
    with torch.device("meta"):
        model = build(shape, shape.vocabulary, shape.length)
    extra = 0 if network != "smollm2-135m" else shape.vocabulary * shape.hidden  # SmolLM2 shares its embeddings
    assert (sum(one.numel() for one in model.parameters()) - extra) / 1e9 == pytest.approx(billions, rel=0.003)


def test_lora_trains_its_matrices_only(begin: Begin, c4: Path, small_llama: Path) -> None:
    options = {"checkpoint": str(small_llama), "upper_layers": "1", "rank": "2", "length": "16", "eval_sequences": "9"}
    training = begin(LORA, c4, {"epochs": 2, "learning_rate": 0.01, "epoch_samples": 16}, options=options)
    before = {name: value.clone() for name, value in training.bare.state_dict().items()}
    found = training.run()
    changed = {name for name, value in training.bare.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and all("lora_" in name and "layers.1." in name for name in changed)
    assert (found.eval_samples, found.quality is not None) == (9, True)


def test_a_prompt_does_not_count(begin: Begin, c4: Path, small_llama: Path) -> None:
    training = begin(LORA, c4, options={"checkpoint": str(small_llama), "length": "16"})
    batch = training.eval_split.batch([0, 1], torch.Generator())
    labels = batch["labels"].clone()
    labels[:, :10] = -100
    nats, count = training.task.judge(training.bare.eval(), batch | {"labels": labels})
    assert count == 12
    assert training.task.quality([(nats, count), (0.0, count)]) == pytest.approx(nats / 24)


@pytest.mark.parametrize(
    ("task", "options", "cause"),
    [
        (BERT, {"network": "huge"}, "no BERT 'huge'"),
        (LLM, {"network": "huge"}, "no language model 'huge'"),
        (SST2, {}, "config.json is missing"),
        (LORA, {}, "config.json is missing"),
    ],
)
def test_wrong_options_are_told(tmp_path: Path, task: str, options: dict[str, str], cause: str) -> None:
    module, _, name = task.partition(":")
    kind = getattr(importlib.import_module(module), name)
    with pytest.raises(TrainingError, match=cause):
        kind(Setup(data=tmp_path, options=options))
    with pytest.raises(TrainingError, match="needs"):
        kind(Setup())


def test_an_unknown_sentiment_network_is_told(begin: Begin, imdb: Path) -> None:
    with pytest.raises(TrainingError, match="no sentiment network 'gru'"):
        begin(SENTIMENT_TASK, imdb, options={"network": "gru"})


def test_training_resumes_to_the_same_weights(begin: Begin, wikipedia: Path, tmp_path: Path) -> None:
    whole = begin(BERT, wikipedia, {"epochs": 2}, target=2.0)
    whole.run()
    begin(BERT, wikipedia, {"epochs": 1}, checkpoint_every_s=0.0, target=2.0).run()
    again = begin(BERT, wikipedia, {"epochs": 2}, resume=True, target=2.0)
    assert again.position.epoch == 1
    again.run()
    expected = whole.bare.state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in again.bare.state_dict().items())
