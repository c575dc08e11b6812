"""Stable Diffusion XL (Podell et al. 2023): two text encoders, a U-Net, an image decoder, as one module.

The denoising loop is diffusers' StableDiffusionXLPipeline, called as MLPerf's reference calls it: Euler's method, 20
steps, guidance 8, a fixed negative prompt. GPU: untested on hardware.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn

STEPS, GUIDANCE = 20, 8.0
NEGATIVE_PROMPT = "normal quality, low quality, worst quality, low res, blurry, nsfw, nude"
LENGTH = 77  # tokens of a prompt
SCHEDULE = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}


class StableDiffusionXL(nn.Module):
    """Prompts in the tokens of both encoders, int64 (n, 77) each, and latents (n, 4, h, w) → uint8 (n, 8h, 8w, 3).

    Args:
        pipe: a StableDiffusionXLPipeline.
        negative: the negative prompt in the tokens of both encoders, int64 (1, 77) each.
    """

    def __init__(self, pipe: Any, negative: tuple[Tensor, Tensor]) -> None:
        super().__init__()
        pipe.set_progress_bar_config(disable=True)
        self._pipe = pipe
        # The pipeline is no module: naming its parts here is what moves and casts them.
        self.text_encoder, self.text_encoder_2 = pipe.text_encoder, pipe.text_encoder_2
        self.unet, self.vae = pipe.unet, pipe.vae
        self._negative = negative

    def forward(self, tokens: Tensor, tokens_2: Tensor, latents: Tensor) -> Tensor:
        count = len(tokens)
        wanted, pooled = self._embed(tokens, tokens_2)
        against, against_pooled = self._embed(*(part.to(tokens.device) for part in self._negative))
        images = self._pipe(
            prompt_embeds=wanted,
            pooled_prompt_embeds=pooled,
            negative_prompt_embeds=against.expand(count, -1, -1),
            negative_pooled_prompt_embeds=against_pooled.expand(count, -1),
            latents=latents,
            guidance_scale=GUIDANCE,
            num_inference_steps=STEPS,
            output_type="pt",
        ).images
        pixels: Tensor = (images.float() * 255).round().to(torch.uint8)
        return pixels.permute(0, 2, 3, 1).contiguous()

    def _embed(self, tokens: Tensor, tokens_2: Tensor) -> tuple[Tensor, Tensor]:
        """Features of all tokens, from the last layer but one of both encoders, and one vector per prompt."""
        first = self.text_encoder(tokens, output_hidden_states=True)
        second = self.text_encoder_2(tokens_2, output_hidden_states=True)
        features = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1)
        return features, second.text_embeds


@dataclass(frozen=True)
class Shape:
    """A pipeline of SDXL's form in any size; `channels` of the U-Net's three levels."""

    channels: tuple[int, int, int] = (32, 32, 64)
    text_width: int = 64
    text_layers: int = 2
    vocabulary: int = 1000
    decoder: tuple[int, int, int, int] = (32, 32, 32, 32)
    latent: int = 16


def small_pipeline(shape: Shape) -> Any:
    """A StableDiffusionXLPipeline with random weights, from torch's seed; pictures of 8 * `shape.latent` pixels."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    diffusers = import_module("diffusers")  # late, and without type annotations
    text = CLIPTextConfig(
        vocab_size=shape.vocabulary,
        hidden_size=shape.text_width,
        intermediate_size=2 * shape.text_width,
        projection_dim=shape.text_width,
        num_hidden_layers=shape.text_layers,
        num_attention_heads=4,
        bos_token_id=0,
        pad_token_id=1,
        eos_token_id=2,
    )
    unet = diffusers.UNet2DConditionModel(
        sample_size=shape.latent,
        block_out_channels=shape.channels,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 1, 2),
        attention_head_dim=(2, 4, 8),
        use_linear_projection=True,
        cross_attention_dim=2 * shape.text_width,
        addition_embed_type="text_time",
        addition_time_embed_dim=32,
        projection_class_embeddings_input_dim=6 * 32 + shape.text_width,
    )
    vae = diffusers.AutoencoderKL(
        block_out_channels=shape.decoder,
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        sample_size=8 * shape.latent,
        scaling_factor=0.13025,
    )
    return diffusers.StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(text),
        text_encoder_2=CLIPTextModelWithProjection(text),
        tokenizer=None,
        tokenizer_2=None,
        unet=unet,
        scheduler=diffusers.EulerDiscreteScheduler(**SCHEDULE, steps_offset=1, timestep_spacing="leading"),
        add_watermarker=False,
    )
