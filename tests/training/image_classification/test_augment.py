"""Shifts and mirror images: what they do, that they repeat, and that test images are spared."""

from __future__ import annotations

import torch
from image_training.augment import Augmentation, Augmented, augment
from image_training.images import Images
from torch.nn.functional import pad


def made(count: int = 6) -> Images:
    pixels = torch.randint(0, 256, (count, 3, 8, 8), generator=torch.Generator().manual_seed(0)).to(torch.uint8)
    return Images(pixels, torch.arange(count))


def draw(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_shift_is_a_window_of_the_picture_with_its_edge_reflected():
    images, augmentation = made(), Augmentation(shift=2, mirror=False)
    batch = Augmented(images, augmentation, 0).batch(range(6), draw())
    padded = pad(images.pixels.float(), (2, 2, 2, 2), mode="reflect")
    for number, (down, right) in enumerate(batch["shift"].tolist()):
        window = padded[number, :, down : down + 8, right : right + 8]
        assert torch.equal(augment(batch, augmentation)[number].float(), window)
    assert batch["shift"].min() >= 0 and batch["shift"].max() <= 4


def test_each_image_is_mirrored_in_every_other_epoch():
    images, augmentation = made(40), Augmentation(shift=0)
    train = Augmented(images, augmentation, seed=3)
    even = augment(train.batch(range(40), draw()), augmentation)
    train.epoch = 1
    odd = augment(train.batch(range(40), draw()), augmentation)
    assert torch.equal(even, odd.flip(3))
    as_they_are = [torch.equal(one, other) for one, other in zip(even, images.pixels, strict=True)]
    assert 8 < sum(as_they_are) < 32


def test_one_draw_gives_one_batch():
    train = Augmented(made(), Augmentation(), 0)
    first, again, other = (train.batch([1, 4], draw(seed))["shift"] for seed in (5, 5, 6))
    assert torch.equal(first, again) and not torch.equal(first, other)


def test_what_is_not_drawn_is_not_changed():
    pixels = made().pixels
    assert augment({"pixels": pixels}, Augmentation()) is pixels


def test_statistics_are_those_of_all_pixels():
    images = made(50)
    mean, spread = images.statistics()
    values = images.pixels.float() / 255
    torch.testing.assert_close(mean, values.mean((0, 2, 3), keepdim=True))
    torch.testing.assert_close(spread, values.std((0, 2, 3), keepdim=True), rtol=1e-3, atol=1e-4)
