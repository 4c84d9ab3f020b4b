"""What is otherwise in a notebook. There is nothing to list: `import ganzoo` fetches it where IPython runs."""
