"""Training data: from shards and photographs to augmented batches.

Three streams: ``crops`` → ``crop_batches`` (diffusion family), ``critic_samples`` →
``critic_batches`` (critics), ``whole_pictures`` → ``proposal_windows`` (proposals).
"""
