//! What the compiler says of faulty uses: each file of `ui` beside the messages it leads to. When a
//! message is changed on purpose: `TRYBUILD=overwrite cargo test -p yamanote-macros --test ui`.

#[test]
fn errors_point_at_the_fault() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
