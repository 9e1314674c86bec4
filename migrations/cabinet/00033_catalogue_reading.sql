-- +goose Up

-- Words of the catalogue are kept as cabinet/catalogue reads them. A program that reads them another way makes them anew when it starts.
ALTER TABLE service ADD COLUMN reading integer NOT NULL DEFAULT 0;

COMMENT ON COLUMN service.reading IS 'which way words were read';
COMMENT ON COLUMN service.words IS 'roots, made by cabinet/catalogue: the name weighs A, what people call it B, what is told about it C, what is like these D';
COMMENT ON TABLE service_word IS 'the roots of what is in force, and what each is made of';
