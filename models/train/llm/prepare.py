"""Trains the tokenizer and writes training conversations as token ids.

    python prepare.py --work DIR --samples 40000

writes DIR/tokenizer.json (once) and DIR/shard-SEED.npz.
"""

import argparse
import random
from pathlib import Path

import numpy as np
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

import sites
from dialogues import chat, sample

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]


def new_tokenizer():
    """Byte-level BPE over lower-case text with single digits.

    The recogniser writes lower case; folding it everywhere makes a word in the
    question and the same word in a fact the same tokens. For the same reason a
    word at the start of a line is given the space that words elsewhere have.
    """
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Lowercase(), normalizers.Replace(Regex(r"\n(?=[^\s])"), "\n ")]
    )
    words = pre_tokenizers.Split(Regex(r" ?[a-z]+| ?[0-9]| ?[^\sa-z0-9]+|\n|[^\S\n]+"), "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([words, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def train_tokenizer(path, vocabulary):
    rng = random.Random(2)
    texts = ["".join(p for p, _ in chat(sample(rng))) for _ in range(4000)]
    texts = [t.replace("<|im_start|>", "").replace("<|im_end|>", "") for t in texts]
    # Rare words of the lists are worth a token of their own; invented names are not.
    for words in (sites.NOUNS, sites.ADJECTIVES, sites.ROOM_FIRST, sites.PLACES, sites.ROLES, sites.FIRST_NAMES, sites.DAYS, sites.MONTHS):
        texts += [" " + w for w in words] * 4
    texts += [role for role in ("system", "user", "assistant")] * 3000
    tokenizer = new_tokenizer()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in SPECIAL])
    tokenizer.save(str(path))


def encode(tokenizer, turns):
    """Token ids of a conversation and which of them are answers to learn."""
    ids, learn = [], []
    start, end = tokenizer.token_to_id("<|im_start|>"), tokenizer.token_to_id("<|im_end|>")
    newline = tokenizer.encode("\n").ids
    for role, text, wanted in turns:
        if role == "assistant":
            head, body = tokenizer.encode("assistant\n").ids, tokenizer.encode(" " + text).ids
        else:
            head, body = tokenizer.encode(f"{role}\n{text}").ids, []
        ids += [start, *head, *body, end, *newline]
        learn += [False] * (1 + len(head)) + [wanted] * len(body) + [wanted] + [False] * len(newline)
    return ids[: -len(newline)], learn[: -len(newline)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--samples", type=int, default=40000)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--vocabulary", type=int, default=2048)
    parser.add_argument("--many", type=float, default=0.5, help="share of samples with several questions over one prompt")
    args = parser.parse_args()
    args.work.mkdir(parents=True, exist_ok=True)
    path = args.work / "tokenizer.json"
    if not path.exists():
        train_tokenizer(path, args.vocabulary)
    tokenizer = Tokenizer.from_file(str(path))
    rng = random.Random(args.seed)
    ids, learn, ends = [], [], []
    while len(ends) < args.samples:
        turn_ids, turn_learn = encode(tokenizer, sample(rng, args.many))
        if len(turn_ids) > 320:
            continue
        ids += turn_ids
        learn += turn_learn
        ends.append(len(ids))
    np.savez(args.work / f"shard-{args.seed}.npz", ids=np.array(ids, np.uint16), learn=np.array(learn, bool), ends=np.array(ends, np.int64))
    print(f"{args.samples} samples, {len(ids)} tokens, {sum(learn)} of them answers, mean length {len(ids) / args.samples:.0f}")


if __name__ == "__main__":
    main()
