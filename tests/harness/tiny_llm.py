"""Language models of a few thousand parameters for the engines' tests, given to the harness by dotted path."""

VOCABULARY = 97
ENDINGS = frozenset(range(5, 12))
_SIZES = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 48,
    "max_position_embeddings": 128,
}


def tiny(kind="llama", **changes):
    """A random model whose greedy answers differ from each other and end by themselves now and then."""
    import torch
    from transformers import AutoConfig, AutoModelForCausalLM

    config = AutoConfig.for_model(kind, **(_SIZES | {"bos_token_id": 1, "eos_token_id": sorted(ENDINGS)} | changes))
    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(config).eval()
    for parameter in model.parameters():
        if parameter.ndim > 1:
            parameter.data.mul_(6)  # the usual initial weights repeat one token for ever
    return model


def build(model, **settings):
    """What the engines expect of an architecture."""
    from harness.engines.base import GenerationModel

    return GenerationModel(module=tiny(), eos_ids=ENDINGS, pad_id=0, **settings)


def build_beams(model):
    return build(model, beams=3)


def build_sampled(model):
    return build(model, temperature=1.0)


def build_broken(model):
    """Every score is NaN."""
    found = build(model)
    found.module.lm_head.weight.data.fill_(float("nan"))
    return found
