"""HanDiffuser (Narasimhaswamy et al. 2024): text → hand and body parameters → picture.

T2H, from text to parameters: ``tokens`` (a person as 21 tokens), ``text_to_hand`` (the denoiser),
``objective``, ``text_to_hand_pipeline`` (drawing people), ``hand_words`` (what their hands do, in words,
against what a text states), ``proposals`` (the people that fit a text best).

From there to the picture: ``person_for_text`` (T2H's best draw, framed), ``text_hand_encoder`` (text and
hands as one ``prompt_embeds``), ``pipeline`` (all of it, on a base that was trained with the encoder).
"""
