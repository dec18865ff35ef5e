"""What a prompt fixes about hands, what it leaves open, and wordings that leave nothing open.

python examples/04_plan_a_prompt.py "a woman holding a cup"
"""

import sys

import handwright

plan = handwright.generate(sys.argv[1], plan=True)
for hand in plan.hands:
    print(hand.title)
    for question in hand.open:
        print("  open:", question)
for wording, prompt in plan.prompts.items():
    print(f"{wording}: {prompt}")
print("negative:", plan.negative)
