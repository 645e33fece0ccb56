def f():
	if True:
		x = 1
		return x

class C:
    def m(self):
	return self.x
