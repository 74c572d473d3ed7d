"""Pages of HTML about a model, a run, or two of them: each is one file that needs nothing else."""
