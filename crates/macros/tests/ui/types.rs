//! Outputs of another type than the function says.

#[tokio::main]
async fn a_value_that_nobody_asked_for() {
    Ok::<(), ()>(())
}

#[tokio::main]
async fn a_semicolon_too_many() -> Result<u32, ()> {
    Ok(3);
}

#[tokio::main]
async fn another_type() -> u8 {
    return "eight";
}

fn main() {}
