package cabinet
