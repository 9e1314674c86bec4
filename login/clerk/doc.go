package clerk
