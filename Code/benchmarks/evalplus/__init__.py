"""HumanEval+ and MBPP+ of EvalPlus: many more inputs for the problems of HumanEval and MBPP (arXiv 2305.01210)."""
