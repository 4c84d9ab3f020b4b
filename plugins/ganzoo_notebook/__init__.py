"""What is otherwise in a notebook. There is nothing to list: `import ganzoo` uses it where IPython runs."""
