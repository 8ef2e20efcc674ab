"""The medicine as data: the model of a knowledge module and the loader that refuses an unsound one."""
