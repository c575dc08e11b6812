"""How staged samples become batches."""

import pytest

from harness.tasks.base import Column

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("channels_last", [False, True])
def test_a_batch_is_the_asked_rows_in_the_asked_layout(channels_last):
    from harness.backends import staging

    samples = torch.randn(10, 3, 4, 5).numpy()
    chunks = (samples[begin : begin + 4] for begin in range(0, 10, 4))
    column = Column("x", (3, 4, 5))
    store = staging.ArrayStore(10, column, dtype=torch.float32, channels_last=channels_last)
    for chunk in chunks:
        store.take(chunk)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    for rows in ([0], [3, 4, 5], [9, 0], [5, 4, 3], [2, 9, 4], [0, 0, 2]):
        batch = store.batch(rows)
        assert torch.equal(batch, torch.from_numpy(samples)[rows])
        assert batch.is_contiguous(memory_format=layout)
    assert store.batch([3, 4]).data_ptr() == store.samples[3:].data_ptr()  # consecutive rows are not copied


def test_ragged_samples_are_joined_or_go_alone():
    from harness.backends import staging

    samples = [torch.full((length, 2), float(length)).numpy() for length in (1, 3, 2)]
    joined = staging.ListStore(Column("pairs", (None, 2), join="concat"), dtype=torch.float32, device="cpu")
    alone = staging.ListStore(Column("volume", (None, 2), join="single"), dtype=torch.float32, device="cpu")
    for store in (joined, alone):
        store.take(samples[:2])
        store.take(samples[2:])
    assert joined.batch([2, 0]).tolist() == [[2, 2], [2, 2], [1, 1]]
    assert alone.batch([1]).shape == (1, 3, 2)
    with pytest.raises(ValueError, match="too many values"):
        alone.batch([0, 1])


def test_only_columns_that_say_so_are_trimmed_and_only_floats_cast():
    from harness.backends import staging

    ids = torch.zeros((4, 384), dtype=torch.int64)
    assert staging.trimmed(ids, Column("ids", (384,), "int64", "trim"), 17).shape == (4, 17)
    assert staging.trimmed(ids, Column("ids", (384,), "int64"), 17).shape == (4, 384)
    assert staging.torch_dtype(Column("ids", (384,), "int64"), torch.bfloat16) is torch.int64
    assert staging.torch_dtype(Column("x", (3,)), torch.bfloat16) is torch.bfloat16
