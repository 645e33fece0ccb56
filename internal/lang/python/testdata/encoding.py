# -*- coding: latin-1 -*-
ï»¿name = "café"
dÃ©f = 1
print(dÃ©f, name)
x = "ÿþ" + é
class GrÃ¶ÃŸe:
    å€¤: int = 1
ð•© = 2
